// What the build does to dist so that V8 compiles it at once: nothing that changes what it does.
import { describe, expect, test } from '@jest/globals'
import { parse } from 'acorn'
import { full } from 'acorn-walk'
import { bracket } from '../../.ci/eager.mjs'

/** Where each function of a module begins and ends. */
function findFunctions(source: string): Set<string> {
  const found = new Set<string>()
  full(parse(source, { ecmaVersion: 'latest', sourceType: 'module' }), ({ type, start, end }) => {
    if (/^(?:Arrow)?Function(?:Declaration|Expression)$/.test(type)) found.add(`${start}-${end}`)
  })
  return found
}

async function evaluate(source: string): Promise<unknown> {
  const module = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { result: unknown }
  return await module.result
}

/** What a module exports as `result`, and what stands in brackets then. */
const CASES: Record<string, [source: string, bracketed: string]> = {
  'a function that is called before it stands': [
    'export const result=f(2);function f(a){return a*3}',
    'var f=(function f(a){return a*3});export const result=f(2);'
  ],
  'the first statement': [
    'function f(){return 1}export const result=f()',
    'var f=(function f(){return 1});export const result=f()'
  ],
  'functions that call each other': [
    'export const result=odd(7);function odd(n){return n>0&&even(n-1)}function even(n){return n===0||odd(n-1)}',
    'var odd=(function odd(n){return n>0&&even(n-1)});var even=(function even(n){return n===0||odd(n-1)});export const result=odd(7);'
  ],
  'a function within a function': [
    'function f(a){return g();function g(){return a}}export const result=f(5)',
    'var f=(function f(a){var g=(function g(){return a});return g();});export const result=f(5)'
  ],
  'async functions and generators': [
    'export const result=f();async function f(){return [...g()]}function*g(){yield 1}',
    'var f=(async function f(){return [...g()]});var g=(function*g(){yield 1});export const result=f();'
  ],
  'functions as values': [
    'export const result=[1,2].map(a=>a+1).filter(function(a){return a>2}),b={c:()=>1,d:async a=>a}',
    'export const result=[1,2].map((a=>a+1)).filter((function(a){return a>2})),b={c:(()=>1),d:(async a=>a)}'
  ],
  'the name of a function': [
    'const g=()=>1,{h=()=>2}={};function f(){}export const result=[f.name,g.name,h.name]',
    'var f=(function f(){});const g=(()=>1),{h=(()=>2)}={};export const result=[f.name,g.name,h.name]'
  ],
  'methods, which have no place for brackets': [
    'class A{constructor(){this.a=1}get b(){return this.a}static c(){return 2}d=()=>3}const e={f(){return 4},get g(){return 5},["h"](){return 6}};export const result=[new A().b,A.c(),new A().d(),e.f(),e.g,e.h()]',
    'class A{constructor(){this.a=1}get b(){return this.a}static c(){return 2}d=(()=>3)}const e={f(){return 4},get g(){return 5},["h"](){return 6}};export const result=[new A().b,A.c(),new A().d(),e.f(),e.g,e.h()]'
  ],
  'functions that are exported, or stand in a block': [
    'export function f(){return 1}export default function(){}let a;{a=g();function g(){return 2}}export const result=[f(),a]',
    'export function f(){return 1}export default function(){}let a;{a=g();function g(){return 2}}export const result=[f(),a]'
  ]
}

describe('bracket', () => {
  test.each(Object.entries(CASES))(
    'leaves what a module does as it is: %s',
    async (_, [source, expected]) => {
      const bracketed = bracket(source, findFunctions(source))
      expect(bracketed).toBe(expected)
      expect(await evaluate(bracketed)).toEqual(await evaluate(source))
    }
  )

  test('touches no function that did not run', () => {
    const source = 'function f(){}const g=()=>1,h=()=>2;export const result=[f(),g(),h()]'
    const at = source.indexOf('()=>1')
    expect(bracket(source, new Set())).toBe(source)
    expect(bracket(source, new Set([`${at}-${at + 5}`]))).toBe(source.replace('()=>1', '(()=>1)'))
  })
})
