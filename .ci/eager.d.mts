export function bracket(source: string, ran: ReadonlySet<string>): string
