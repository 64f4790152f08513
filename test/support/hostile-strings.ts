/** What ends a line, starts a command, or breaks out of markup for some reader, and values that lead past the first check. */
export const HOSTILE_STRINGS: readonly string[] = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\v',
    '\f',
    '\u0085',
    '\u2028',
    '\u2029',
    '\0',
    '\t',
    ' ',
    '\u00a0',
    '\ufeff',
    '\u200b'
  ],
  ...[
    '::',
    '::error::',
    '::warning file=a,line=1::',
    '::set-output name=password::',
    '::add-mask::us',
    '::debug::'
  ],
  ...[
    '::stop-commands::pause',
    '::group::',
    '::save-state name=login::',
    '##[',
    '##[error]',
    '##[add-mask]us',
    ']'
  ],
  ...[
    '%0A',
    '%0D%0A',
    '%3A%3A',
    '%250A',
    'ghadelimiter_',
    '<<',
    '<<EOF\n',
    '\nEOF\n',
    '=',
    'password=x\n',
    ','
  ],
  ...[
    '\u001b[31m',
    '\u001b]0;title\u0007',
    '\u009b2J',
    '\b\b',
    '\u202e',
    '"',
    "'",
    '`',
    '\\',
    '$(id)',
    '${x}'
  ],
  ...['<b>', '</td></tr></table>', '<img src=x>', '&lt;', '&', '![x](y)', '|', '{', '}', '[', '{"apikey":"'],
  ...[
    'us-south',
    'us.icr.io',
    'team/app',
    '127.0.0.1:5000',
    'https://',
    'Bearer ',
    'eyJ',
    'true',
    '1h',
    'crn:'
  ]
]
