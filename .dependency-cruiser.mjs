// The import rules of src, which `npm run lint` checks. docs/architecture.md explains them and shows the graph.

/** From the top down. A file imports from its own row and from the rows below it. */
const LAYERS = [
  '(main|post)[.]ts$',
  '(login|cleanup)[.]ts$',
  'network[.]ts$',
  'runner/',
  'docker/',
  'mint/',
  'iam/',
  'registry/',
  'credential/',
  'http/',
  'errors/',
  '(json|context)[.]ts$'
].map((layer) => `^src/${layer}`)

/** What `from` matches never imports what `to` matches. */
const forbid = (name, from, to) => ({ name, severity: 'error', from, to })

export default {
  forbidden: [
    forbid('no-circular-imports', { path: '^src/' }, { circular: true }),
    forbid('every-file-has-a-layer', { path: '^src/', pathNot: LAYERS }, {}),
    ...LAYERS.slice(1).map((layer, row) =>
      forbid('imports-go-down', { path: layer }, { path: LAYERS.slice(0, row + 1) })
    ),
    forbid('docker-does-not-know-mint', { path: '^src/docker/' }, { path: '^src/mint/' }),
    forbid(
      'actions-core-is-for-the-runner-and-the-phases',
      { path: '^src/', pathNot: '^src/(runner/|(main|post|login|cleanup)[.]ts$)' },
      { path: '@actions/core' }
    ),
    forbid('dynamic-imports-are-for-the-phases', { path: '^src/', pathNot: LAYERS[1] }, { dynamic: true }),
    forbid('dynamic-imports-are-of-network', { path: LAYERS[1] }, { dynamic: true, pathNot: LAYERS[2] }),
    forbid('network-is-imported-dynamically', { path: '^src/' }, { dynamic: false, path: LAYERS[2] }),
    forbid(
      'every-file-is-used',
      { path: LAYERS[0] },
      { path: '^src/', pathNot: LAYERS[0], reachable: false }
    ),
    forbid(
      'only-dependencies-and-src',
      { path: '^src/' },
      { pathNot: '^src/', dependencyTypesNot: ['core', 'npm'] }
    )
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count.
    tsPreCompilationDeps: true
  }
}
