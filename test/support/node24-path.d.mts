export declare function node24(): string
