export function watchUsualJob(): (file: string) => Set<string>
export function bracket(source: string, ran: ReadonlySet<string>): string
