// Mutation testing runs each test hundreds of times: properties end at their first failure, and after a moment.
import fc from 'fast-check'

fc.configureGlobal({ endOnFailure: true, interruptAfterTimeLimit: 250 })
