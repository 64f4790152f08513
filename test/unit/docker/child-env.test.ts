// What docker and credential helpers get to know of the job.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { childEnvironment } from '../../../src/docker/child-env.ts'
import { knownSecrets } from '../../../src/errors/redact.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'

useOwnEnvironment()

const SECRET = 'Wr1tQm7vXk_2ZpLd9sHcNf'

beforeEach(() => {
  knownSecrets.clear()
  setVariables(Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])))
})

afterEach(() => {
  setVariables(Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])))
})

describe('a child', () => {
  test.each([
    ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'LANG', 'LC_ALL', 'LC_CTYPE'],
    ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
    ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'GNUPGHOME', 'GPG_TTY', 'PASSWORD_STORE_DIR', 'XDG_RUNTIME_DIR'],
    'RUNNER_TRACKING_ID',
    ...[
      'DBUS_SESSION_BUS_ADDRESS',
      'DISPLAY',
      'SystemRoot',
      'USERPROFILE',
      'APPDATA',
      'ProgramFiles',
      'PATHEXT'
    ]
  ])('is given %s', (name) => {
    setVariables({ [name]: 'value' })
    expect(childEnvironment()[name]).toBe('value')
  })

  test.each([
    ...[
      'INPUT_API-KEY',
      'INPUT_REGION',
      'INPUT_PATH',
      'STATE_login',
      'GITHUB_TOKEN',
      'GITHUB_ENV',
      'GITHUB_PATH'
    ],
    ...['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'RUNNER_TEMP', 'IBMCLOUD_API_KEY', 'CI'],
    ...['DOCKER_CONTEXT', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_AUTH_CONFIG', 'DOCKER_CLI_HINTS'],
    ...[
      'DOCKER_DEFAULT_PLATFORM',
      'REGISTRY_AUTH_FILE',
      'NODE_OPTIONS',
      'LD_PRELOAD',
      'AWS_SECRET_ACCESS_KEY'
    ],
    ...['BASH_ENV', 'MY_PATH', 'PATH_X', 'XHOME', 'HTTP_PROXY_PASSWORD', 'SSL_CERT_FILE_X', 'DOCKER_CONFIG']
  ])('is not given %s', (name) => {
    setVariables({ [name]: 'value' })
    expect(Object.keys(childEnvironment())).toEqual(['DOCKER_HOST', 'GOGC', 'GOMAXPROCS', 'GOMEMLIMIT'])
  })

  test('is given no variable that holds a secret of the step, whatever its name', () => {
    knownSecrets.add(SECRET)
    setVariables({
      XDG_RUNTIME_DIR: `/run/${SECRET}`,
      PATH: '/bin',
      HOME: `/home/${SECRET}`,
      LANG: SECRET,
      HTTPS_PROXY: `http://me:${SECRET}@proxy`
    })
    expect(Object.keys(childEnvironment()).sort()).toEqual([
      'DOCKER_HOST',
      'GOGC',
      'GOMAXPROCS',
      'GOMEMLIMIT',
      'PATH'
    ])
  })

  test('that gets no secret keeps all that it may have', () => {
    setVariables({ PATH: '/bin', HOME: '/root' })
    expect(Object.keys(childEnvironment()).sort()).toEqual([
      'DOCKER_HOST',
      'GOGC',
      'GOMAXPROCS',
      'GOMEMLIMIT',
      'HOME',
      'PATH'
    ])
  })

  test('is sent to no daemon, whatever the job has set', () => {
    setVariables({ DOCKER_HOST: 'tcp://10.0.0.1:2375' })
    expect(childEnvironment()['DOCKER_HOST']).toMatch(/nonexistent/)
  })

  test('is given the config directory that it is to use, and no other', () => {
    setVariables({ DOCKER_CONFIG: '/the/users' })
    expect(childEnvironment('/its/own')['DOCKER_CONFIG']).toBe('/its/own')
  })
})
