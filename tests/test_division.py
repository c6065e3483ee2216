"""Whatever the labels say, a program means the same after its vendors were taken out of it."""

from __future__ import annotations

import hashlib
import itertools
import random
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Program, needs_node, run
from random_programs import PRELUDE, Writer

from v1z3r_build.bundlers import esm, factories
from v1z3r_build.bundlers.turbopack import context
from v1z3r_build.formats.engines.script_syntax import located
from v1z3r_build.formats.scope_analysis import analyse_script
from v1z3r_build.formats.scopes import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


class Case(NamedTuple):
    """A program whose chunk is split. neighbours: other modules, by name. known: of the neighbours.

    throws: whether it ends so. stays: whether nothing of it may move.
    """

    name: str
    chunk: str
    neighbours: Mapping[str, str] = {}
    known: esm.Imports | None = esm.Imports((), circular=False, awaiting=False)
    throws: bool = False
    stays: bool = False


def labellings(count: int, seed: str) -> Iterator[list[str]]:
    """Ways to label so many items: all of them for few items, else a choice."""
    if 2**count <= 32:
        yield from (list(one) for one in itertools.product(("v", ""), repeat=count))
    else:
        yield ["v"] * count
        for index in range(count):
            yield ["v" if one == index else "" for one in range(count)]
            yield ["" if one == index else "v" for one in range(count)]
        yield ["v" if one % 2 else "" for one in range(count)]
        yield ["" if one % 2 else "v" for one in range(count)]
    chance = random.Random(seed)
    for _ in range(12):
        yield [chance.choice(("", "v", "w")) for _ in range(count)]
    for _ in range(6):
        first, second = sorted((chance.randrange(count + 1), chance.randrange(count + 1)))
        yield ["v" if first <= one < second else "" for one in range(count)]


CASES = [
    Case("var", "var a=1;var b=a+1;log(a,b)"),
    Case("let and const", "let a=1;const b=a+1;let c;c=b;log(a,b,c)"),
    Case("joined declarators", "var a=log(1),b=log(a+1),c=log(b+1),d;log(a,b,c,d)"),
    Case("class", "class A{m(){return 1}}class B extends A{m(){return super.m()+1}}log(new B().m(),A,B)"),
    Case(
        "destructuring", "const{a,b:{c=log(5)},...d}={a:log(1),b:{},x:3,y:4},[e,,f=e,...g]=[1,2,,4,5];log(a,c,d,e,f,g)"
    ),
    Case(
        "destructuring that calls between",
        "function f(){return log(a,b)}var{a,b=f(),c=f()}={a:1};log(a,b,c);var[d,e=g()]=[3];function g(){return d}log(d,e)",
    ),
    Case("hoisted", "log(f(),g());function f(){return a}var a=1;function g(){return f()}log(f(),g())"),
    Case("hoisted, handed over", "log(f());function f(){return g()}function g(){return 7}var x=f();log(x)"),
    Case("live", "let n=0;function inc(){n++}inc();log(n);inc();log(n);const read=()=>n;inc();log(read())"),
    Case(
        "counter from both sides",
        "var n=0;function a(){return n++}function b(){return n+=10}log(a(),b(),n);n=5;log(a(),n)",
    ),
    Case("var twice", "var a=1;log(a);var a=2;log(a);var b=a;var a;log(a,b)"),
    Case(
        "heads of for",
        "for(var k in{x:1,y:2})log(k);for(var v of[1,2])log(v);for(var i=0,j=9;i<2;i++)log(i,j);log(k,v,i,j)",
    ),
    Case(
        "heads of for, patterns",
        "for(var[a,b]of[[1,2]]);for(var{c,d=3}of[{c:1}]);for(var{length:e}in{abc:1});log(a,b,c,d,e)",
    ),
    Case("heads of for, let", "for(let i=0;i<2;i++){var f=()=>i;log(f())}for(const x of[1]){var g=()=>x}log(f(),g())"),
    Case("heads of for, words", "for(var async of[1]);for(var of of[2]);for(var get in{x:1});log(async,of,get)"),
    Case("var in if", "var x=1;if(x){var y=1}else var z=2;if(!x)var w=5;log(x,y,z,w)"),
    Case("var in blocks", "{var a=1;{var{b,c}={b:2,c:3},d=4}}lbl:{var e=5;break lbl}log(a,b,c,d,e)"),
    Case("var in switch", "switch(2){case 1:var a=1;break;case 2:var b=2,{c}={c:4};default:var d=3}log(a,b,c,d)"),
    Case("var in try", "try{var a=1;throw 2}catch(e){var e=3,b=e}finally{var c=4}log(a,b,c,e)"),
    Case("var in loops", "do var a=1;while(0);while(!b)var b=2;for(;;){var c=3;break}log(a,b,c)"),
    Case("var without value in a block", "var x=1;{var y\n++x;var z\nlog(y,z)}log(x)"),
    Case("var pattern after a line without semicolon", "{let t=log\nt\nvar{a}={a:1}\nt\nvar[b]=[2]\nlog(a,b)}"),
    Case(
        "var in an unbraced body",
        "var o={a:1};if(o)var{a}=o\nelse var{a:b}=o\nfor(var i of[1])var{c}={c:i}\nlog(a,b,c)",
    ),
    Case("functions in blocks", "{function f(){return 1}log(f())}if(true){function g(){}}log(typeof f,typeof g)"),
    Case("labels", "a:for(var i=0;i<3;i++){b:for(;;){if(i==1)continue a;break b}log(i)}log('end',i)"),
    Case("try", "try{log(f())}catch(e){log(e)}finally{log('f')}function f(){return null.x}"),
    Case("an error", "log(1);var a=log(2);null.x;log(3);var b=log(4)", throws=True),
    Case(
        "comma expressions",
        "var a,b;log(1),a=2,(log(a),b=3),log(b),function(){log('iife')}(),{}.x,class{},a,b,log(a,b)",
    ),
    Case(
        "ASI",
        "var a=1\n;[1].map(log)\n;(function(){log(a)})()\n;`x`.length\n;+log(2)\n;-log(3)\n;/x/.test(log('x'))\nlog(a)",
    ),
    Case("ASI, many", "var a=log(1)\nvar b=log(2)\nlog(a)\nlog(b)\nlet c=a\nc++\nb\n++c\nlog(b,c)"),
    Case(
        "directives", "'use strict';'use client';log(1);'not one';(function(){'use strict';log(this)})();\"no\";log(2)"
    ),
    Case(
        "comments behind statements",
        "if(log(1))log(2) // a;\nclass A{} // b\nfunction f(){} // c\nlbl:log(3) // d\nlog(4), // e\nlog(5) // f\nlet c=6 // g\nlog(c,typeof A) // h",
    ),
    Case("regexes", "var a=/[/]\\/(?<n>x)/giu,b=/a/g;log(a.source,b.test('a'),b.lastIndex);var c=1/2/4;log(c)"),
    Case(
        "comments",
        "#!/usr/bin/env node\n/*! licence */var a=1;// line\n/** doc */function f(){/*in*/return a}//# end\nlog(/*x*/f());var b=/*b*/2,/*c*/c=3 // d\nlog(a,b,c)//# sourceMappingURL=x.map",
    ),
    Case(
        "comments that look like ends",
        "let n=0;function f(){n++;return n}\nlog(n)// a;\nf()\nlog(n)/* b; */\nf();log(n)",
    ),
    Case(
        "static blocks",
        "var l=[];class A{static x=log(1);static{l.push(A.x);this.y=2}static #p=3;static p(){return A.#p}}log(l,A.y,A.p(),A.x)",
    ),
    Case("static block reads hoisted", "function f(){return typeof l}var l=1;class A{static{log(f())}}log(f())"),
    Case(
        "fields",
        "let n=0;class A{x=n++;#y=n;['z'+log(n)]=1;y(){return this.#y}static s=n}log(new A().y(),new A().x,n,A.s)",
    ),
    Case("getters", "var o={get a(){return log('get')},set a(v){log('set',v)}};o.a;o.a=1;var b={x:o.a,...o};log(b)"),
    Case(
        "side effects in literals",
        "var o={get a(){return log(1)}};var p={x:o.a},q=[o.a],r=`${o.a}`,s={[log('k')]:1},t={...o};log(p,q,r,s,t)",
    ),
    Case(
        "generators",
        "function*g(){var x=yield 1;log(x);yield*[2,3]}var i=g();log(i.next().value);log(i.next(7).value);log([...i])",
    ),
    Case(
        "async",
        "async function f(){log(1);await 0;log(2);return 3}var p=f().then(log);log(4);async()=>{};(async()=>{await p;log(5)})()",
    ),
    Case("top-level await", "log(1);var a=await log(2);const b=log(a);for await(var c of[3])log(c);log(b,c)"),
    Case(
        "arguments",
        "function f(){return arguments.length}const g=function(){return(()=>arguments[0])()};log(f(1,2),g(5))",
    ),
    Case(
        "this",
        "log(typeof this);var f=()=>this,o={m(){return this===o}},g=function(){return this};log(f(),o.m(),g());class A{x=this;static y=this}log(new A().x instanceof A,A.y===A)",
    ),
    Case(
        "import.meta",
        "var u=import.meta.url.includes('chunk');function f(){return typeof import.meta.url}class A{x=typeof import.meta;static y=typeof import\n.meta}log(u,f(),new A().x,A.y)",
    ),
    Case(
        "import.meta, spaced",
        "function f(){return import . meta.url.includes('chunk')}var u=import\n.meta.url.includes('chunk');log(f(),u)",
    ),
    Case(
        "dynamic import",
        "var p=import('./n.mjs');function load(){return import('./n.mjs')}$.p=[p.then(m=>log(m.x)).then(load).then(m=>log(m.default))]",
        {"n.mjs": "export var x=1;export default log('n')"},
    ),
    Case(
        "function names",
        "var alpha=function(){},beta=()=>{},gamma=class{},delta={epsilon(){},zeta:()=>{}},[theta=function(){}]=[],{kappa=()=>{}}={},lambda;lambda=()=>{};let sigma=function named(){};class Omega{}log(alpha.name,beta.name,gamma.name,delta.epsilon.name,delta.zeta.name,theta.name,kappa.name,lambda.name,sigma.name,Omega.name,new Omega().constructor.name)",
    ),
    Case(
        "names read elsewhere",
        "function vendorFunction(){}class VendorClass{static own(){return class InnerClass{}}}const arrowLike=()=>{};var all=[vendorFunction,VendorClass,arrowLike,VendorClass.own()];log(all.map(x=>x.name).join())",
    ),
    Case(
        "tagged templates",
        "let n=0;function tag(s,...v){return s.raw.join('|')+v+typeof this+n++}log(tag`a${1}b\\n`);var t=tag`x${n}`;log(t)\ntag`z`;log(n)",
    ),
    Case(
        "optional calls",
        "let n=0;function f(){n++;return typeof this}var o={f,n};let g=f;g=o.f;log(f?.(),g?.(),o?.f?.(),o.x?.(),(f)(),n)",
    ),
    Case(
        "new",
        "let N=class{constructor(a){this.a=a}static x=class{y=1}};N=N;log(new N(1).a,new N.x().y,new N().a,new(N.x)().y,new(f().N)(3).a);function f(){return{N}}",
    ),
    Case(
        "shorthand",
        "let n=1;function f(){n++;return{n,f,m(){return n}}}f();log(f().n);var o={n,f};log(o);({n}={n:9});log(n,f().m())",
    ),
    Case("typeof", "let n=1;function f(){n=typeof n}f();log(typeof n,typeof f,typeof undeclared,void n,!n)"),
    Case(
        "fresh names",
        "var _0=1,_1=2;function _2(){return _0+_1}log(_2());{let _3=4;log(_3)}log(typeof _4);var e=1,t=2,n=3;log(e,t,n)",
    ),
    Case(
        "globals of the same name",
        "$.e='global e';globalThis.zz=1;var a=globalThis.zz;function f(){return typeof e+typeof t+a}log(f())",
    ),
    Case(
        "var read early",
        "log(a,f());var a=1;function f(){return a}log(a,f());var g=function(){return b};log(g());var b=2;log(g())",
    ),
    Case(
        "const written",
        "const c=1;function f(){c=2}try{f()}catch(e){log(e)}try{c++}catch(e){log(e)}log(c);for(var i of[1])try{[c]=[1]}catch(e){log(e)}",
    ),
    Case("class written inside", "class A{static f(){A=1}}try{A.f()}catch(e){log(e)}log(typeof A);A=2;log(A)"),
    Case(
        "enum",
        "var E;(function(E){E[E.A=0]='A';E[E.B=1]='B'})(E||(E={}));log(E.A,E[1]);var F;!function(e){e.x=1}(F||(F={}));log(F)",
    ),
    Case(
        "namespaces",
        "var N;(function(N){N.x=1;function f(){return N.x}N.f=f})(N||(N={}));(function(N){N.y=N.f()})(N||(N={}));log(N)",
    ),
    Case(
        "Babel's helpers",
        "function _classCallCheck(a,n){if(!(a instanceof n))throw new TypeError}function _inherits(a,b){a.prototype=Object.create(b.prototype)}var A=function(){function A(){_classCallCheck(this,A)}A.prototype.x=1;return A}(),B=function(S){function B(){return S.call(this)||this}_inherits(B,S);return B}(A);log(new A().x);try{A()}catch(e){log(e)}log(new B().x)",
    ),
    Case(
        "TypeScript's helpers",
        "var __extends=(this&&this.__extends)||(function(){var e=function(d,b){e=Object.setPrototypeOf||null;return e(d,b)};return function(d,b){e(d,b)}})();var __assign=function(){__assign=Object.assign||null;return __assign.apply(this,arguments)};log(__assign({a:1},{b:2}));function A(){}function B(){}__extends(B,A);log(Object.getPrototypeOf(B)===A,__assign({},{}))",
    ),
    Case(
        "functions that replace themselves",
        "function f(x){f=function(){return log('second')};return log('first')}f();f();function g(){return f()}g()",
    ),
    Case(
        "esbuild's helpers",
        "var d=Object.defineProperty,x=(t,a)=>{for(var n in a)d(t,n,{get:a[n],enumerable:!0})},c=(f,m)=>()=>(m||f((m={exports:{}}).exports,m),m.exports),l=(f,r)=>()=>(f&&(r=f(f=0)),r);var mod=c((e,m)=>{log('run');m.exports={a:1}}),q={};x(q,{z:()=>z});var z,init=l(()=>{z=log('init')});init();init();log(q.z,mod().a,mod().a)",
    ),
    Case(
        "bigint",
        "var a=10n,b=-1n;try{var c=+1n}catch(e){log(e)}log(a*b,typeof c);function f(){return typeof c}log(f())",
    ),
    Case("bigint that throws first", "var a=1n+1;log(a);var b=log(2)", throws=True),
    Case("bigint that throws first, unread", "var a=+1n;var b=-'x',c=1<<2,d=3n*4n;log(2)", throws=True),
    Case("bigint that throws", "log(1);var a=+1n;log(2)", throws=True),
    Case("bigint that throws between", "function f(){log('f')}f();var a=1n+1;f()", throws=True),
    Case("bigint division", "function f(){log('f')}f();var a=1n/0n;f()", throws=True),
    Case(
        "heritage calls",
        "function mix(B){log('mix');return class extends B{}}class A{}class B extends mix(A){}class C extends(log('c'),A){}log(new B()instanceof A,new C()instanceof A)",
    ),
    Case("heritage null", "function f(){log('f')}f();class A extends null{}class B extends(f(),A){}log(typeof B)"),
    Case("idle between", "function g(){return k}const a=1;const k=3;const b=g();log(a,k,b)"),
    Case(
        "idle later",
        "function g(){return typeof k+typeof m}var a=log(g());var k=3;var b=log(g());var m=4;var c=log(g());log(a,b,c,k,m)",
    ),
    Case("idle before what is handed over", "function h(x){return log(x+1)}const a=1;const b=h(a);log(a,b)"),
    Case("read while it runs", "function f(){return log(x,y)}var x=5;var z=f();var y=6;f();log(x,y,z);var w=f()"),
    Case("read while it runs, by a hook", "$.f=()=>log(x,y);var x=5;var z=$.f();var y=6;$.f();log(z)"),
    Case(
        "given away and called back",
        "$.l=[];function on(f){$.l.push(f)}function emit(){$.l.forEach(f=>f())}on(()=>log(a,b));var a=1;emit();var b=2;emit()",
    ),
    Case(
        "prototypes",
        "Array.prototype.zap=function(){return log('zap')};var a=[].zap();delete Array.prototype.zap;var b=[].zap;log(a,b)",
    ),
    Case(
        "properties of both",
        "function V(){}V.a=1;var o=V;o.a++;V.b=log(V.a);V.prototype.m=function(){return V.b};log(new V().m())",
    ),
    Case("conditions", "var a=$.x?1:2,b=a===2&&log('and'),c=null??log('nullish');a||=log('or');a&&=5;log(a,b,c)"),
    Case(
        "updates",
        "var a=1;a++;--a;a+=2;a**=3;[a]=[a+1];({a}={a:a+1});({x:a=1}={});log(a);for(a of[7]);log(a);for(a in{q:1});log(a)",
    ),
    Case("delete", "var o={a:1};delete o.a;function f(){return delete o.b}log(f(),o)"),
    Case("sequences", "let a=(log(1),2),b=(log(a),a);a=b,b=3;log(a,b);for(var i=0,n=(log('n'),2);i<n;i++,a+=i);log(a)"),
    Case(
        "symbols and iterators",
        "var I={[Symbol.iterator]:function*(){yield 1}};var[x]=I;log(x,...I);const m=new Map([[I,1]]);log(m.get(I))",
    ),
    Case("deep closures", "var a=1;function f(){var b=a;return function(){a=b+1;return()=>a}}log(f()()(),a)"),
    Case(
        "shadowing",
        "var a=1;function f(a){return a}function g(){var a=2;{let a=3}return a}log(f(5),g(),a);try{throw 9}catch(a){log(a)}log(((a)=>a)(4))",
    ),
    Case("parameters with defaults", "var a=1;function f(b=a,c=()=>b+a){a=10;return c()}log(f(),f(2))"),
    Case("async generators", "async function*g(){yield 1;yield 2}(async()=>{for await(const x of g())log(x)})()"),
    Case(
        "undefined and void",
        "var a=undefined,b=void 0,c=[void 0,undefined];log(a,b,c.length);function f(a=1){return a}log(f(a))",
    ),
    Case("debugger and empty", ";;debugger;log(1);;var a=1;;log(a);"),
    Case(
        "arguments of what is around",
        "log(typeof arguments,typeof arguments==='object'&&arguments.length>3);var a=1;log(a)",
    ),
    Case(
        "a binding called undefined",
        "const undefined=5;const b=undefined;var c=[undefined];log(b,c);const f=(x=undefined)=>x;log(f())",
    ),
    Case(
        "a binding called __proto__",
        "var __proto__=1;function set(){__proto__=[1]}set();var o={__proto__};log(Object.keys(o),o instanceof Array)",
    ),
    Case(
        "read too early",
        "try{log(a)}catch(e){log(e)}try{(()=>log(a,typeof C))()}catch(e){log(e)}let a=1;log(a);class C{}log(typeof C);const g=()=>d;const d=2;log(g())",
    ),
    Case(
        "new.target",
        "function F(){return new.target===F}log(new F()instanceof F,F());var a=(()=>class{constructor(){log(typeof new.target)}})();new a",
    ),
    Case("switch and its scope", "switch(1){case 0:let q;default:var r=5;function g(){return 3}log(g())}log(r)"),
    Case(
        "private names",
        "class A{#x=1;static has(o){return #x in o}get x(){return this.#x}}log(A.has(new A),A.has({}),new A().x);class B extends A{#x=2;y(){return this.#x}}log(new B().x,new B().y())",
    ),
    Case(
        "static accessors",
        "class A{static get a(){return log('g')}static set a(v){log('s')}static b=A.a;static{A.a=1}}var q=A.a",
    ),
    Case(
        "keys of classes",
        "let i=0;class A{[log('k'+i++)](){}static[log('s'+i++)]=log(i);[log('f')]=1}log(i);var b=i;class B{static async*[log('m')](){}get[log('g')](){}}log(typeof B)",
    ),
    Case(
        "order of parameters",
        "function f(a=log(1),{b=log(2),c}={c:log(3)},...[d=log(4)]){return[a,b,c,d]}log(f());var z=f(9);log(z)",
    ),
    Case(
        "order of assigned patterns",
        "var o={},k=0;[o[log('a'+k++)],o[log('b'+k++)]=log('def')]=[1];({x:o[log('c')],...o.rest}={x:1,y:2});log(o,k);var{a,b}={get a(){return log('ga')},get b(){return log(a)}};log(a,b)",
    ),
    Case(
        "unicode names",
        "var \\u0061b=1,ünï=2,$日=3;function \\u{66}(){return \\u0061b+ünï}let l\\u0065t1=4;l\\u0065t1=5;log(ab,f(),$日,{\\u0061b},let1);class \\u0043{}log(typeof C,new C instanceof \\u0043)",
    ),
    Case(
        "one tag, one array",
        "function t(s){return s}function u(){return t`x`}log(u()===u());var a=t`y`;log(a.raw.join(),u()!==a)",
    ),
    Case(
        "hoisted generators",
        "var it=g();it.next();var v=1;function*g(){yield v;yield v}log(it.next().value);var p=h();async function h(){await 0;return w}var w=3;$.p=[p.then(log)]",
    ),
    Case(
        "closures over loops",
        "var fs=[];for(let i=0;i<3;i++)fs.push(()=>i++);log(fs.map(f=>f()));var t=fs[0]();log(t);for(const[x,y]of[[1,2]])var c=()=>x+y;log(c())",
    ),
    Case(
        "catch and its names",
        "try{throw{a:1,b:[2]}}catch({a,b:[c]}){var d=a+c;log(a,c)}try{try{throw 1}catch(e){var e=5;log(e)}log(e)}finally{var z=e}log(d,z)",
    ),
    Case(
        "optional chains",
        "var a={b(){return this.c},c:7};var d=a?.b?.();log(d,a?.['b'](),a?.x?.y.z());let f=()=>0;f=()=>log(typeof this);function g(){return f?.(1)??(f)?.(2)}g();f?.();log(typeof f?.name,null?.x)",
    ),
    Case(
        "in within heads",
        "var k='a'in{a:1};for(var m=('a'in{})?1:2,n=0,f=async()=>{};n<m;n++)log(n);log(k,typeof f);for(var{q=('z'in{})}of[{}])log(q)",
    ),
    Case(
        "what runs later",
        "Promise.resolve().then(()=>log('then',b));var a=log('a');queueMicrotask(()=>log('task',b));var b=log('b');$.p=[Promise.resolve()]",
    ),
    Case(
        "own definitions",
        "var o={};Object.defineProperty(o,'x',{get(){return log('get')}});var y=o.x;class A{set p(v){log('set',v)}}class B extends A{p=1}var b=new B;b.p=log(2);delete b.p;b.p=3",
    ),
    Case(
        "globals made and taken away",
        "globalThis.zz=1;var a=zz;log(typeof zz,a);delete globalThis.zz;function t(){return typeof zz}log(t())",
    ),
    Case("strings with escapes", "var a='</script>\\u2028',b=`\\${a}`;log(a.length,b)"),
    # Imports and exports
    Case(
        "exports",
        "export var a=1;export function f(){a++}export class C{}export const[b,c]=[2,3];export let d;var e=4;d=e+1;log(a,b,c,d)",
        {"main.mjs": "import*as m from'./chunk.mjs';m.f();log(m.a,m.b,m.c,m.d,Object.keys(m).join())"},
    ),
    Case(
        "exports in a list",
        "var a=1,b=2;function f(){a++;b=a}class C{}export{a,b as c,f,C as'a string',C as default}",
        {"main.mjs": "import D,{a,c,f,'a string'as C}from'./chunk.mjs';f();log(a,c,C===D)"},
    ),
    Case(
        "export default",
        "var a=1;function f(){a=2}export default a;f();log(a)",
        {"main.mjs": "import a from'./chunk.mjs';log(a)"},
    ),
    Case(
        "export default function",
        "log(f());export default function f(){return a}var a=1;log(f())",
        {"main.mjs": "import f from'./chunk.mjs';log(f())"},
    ),
    Case(
        "export default without a name",
        "var a=1;export default class{static x=a}",
        {"main.mjs": "import f from'./chunk.mjs';log(f.x,f.name)"},
    ),
    Case(
        "export default an arrow",
        "export default()=>log('x');var a=1;log(a)",
        {"main.mjs": "import d from'./chunk.mjs';d();log(d.name)"},
    ),
    Case(
        "export default a value",
        "let x=1;export default x+1;x=5;function f(){return x}export{f}",
        {"main.mjs": "import d,{f}from'./chunk.mjs';log(d,f())"},
    ),
    Case(
        "export default a class",
        "export default class K{static n=log(1)}var y=new K;log(y instanceof K);K.z=1;function f(){return K.z}log(f())",
        {"main.mjs": "import d from'./chunk.mjs';log(d.name,d.z)"},
    ),
    Case(
        "exports of imports",
        "export*as ns from'./n.mjs';import*as q from'./n.mjs';var a=q.x;export{q,q as r};log(a)",
        {"n.mjs": "export let x=1", "main.mjs": "import{ns,q,r}from'./chunk.mjs';log(ns===q,q===r)"},
    ),
    Case(
        "import of the chunk itself",
        "var a=1;let b=2;b=3;function f(){return a+b}export{a,b,f};$.p=[import('./chunk.mjs').then(m=>log(m.a,m.b,m.f(),Object.keys(m).join()))]",
    ),
    Case(
        "a name space of its own",
        "import*as me from'./chunk.mjs';export var a=1;let b=2;export{b as c};log(Object.keys(me).join(),me.a,me.c);function g(){return me.c}log(g());b=5;log(g())",
        known=None,
    ),
    Case(
        "await between",
        "log(1);var a=await new Promise(r=>setTimeout(r,1,2));log(a);function f(){return b}var b=await f();log(b);export{a}",
        {"main.mjs": "import{a}from'./chunk.mjs';log('m',a)"},
    ),
    Case(
        "export star",
        "export*from'./n.mjs';export*as n from'./n.mjs';export{x as y}from'./n.mjs';var x=5;log(x)",
        {
            "n.mjs": "log('n');export var x=1,z=2",
            "main.mjs": "import*as m from'./chunk.mjs';log(Object.keys(m).join(),m.y)",
        },
    ),
    Case(
        "imports",
        "import d,{x,set}from'./n.mjs';import*as n from'./n.mjs';function f(){return x+n.x}log(f());set(5);log(f(),d);var a=f();log(a)",
        {"n.mjs": "export let x=1;export function set(v){x=v}export default 7"},
    ),
    Case(
        "imports that settle",
        "import{h,c as C}from'./n.mjs';const a=1;const b=h(a);function f(){return C}log(f(),b);log(h(2))",
        {"n.mjs": "export{h,c};function h(x){return log(x+1)}const c=3"},
        esm.Imports(("h", "C"), circular=False, awaiting=False),
    ),
    Case(
        "imports for their effects",
        "log(1);import'./n.mjs';var a=$.n;log(a);import{x}from'./o.mjs';log(x,$.n)",
        {"n.mjs": "log('n');$.n=1", "o.mjs": "log('o');$.n=2;export var x=3"},
    ),
    Case("import attributes", "import j from'./j.json'with{type:'json'};var a=1;log(j,a)", {"j.json": '{"a":1}'}),
    Case(
        "a circle, the neighbour first",
        "import{use}from'./n.mjs';export{early};function early(){return late()+typeof v}function late(){return log('late')}var v=1;log(early());use()",
        {"n.mjs": "import{early}from'./chunk.mjs';log('n',early());export function use(){log('use',early())}"},
        known=esm.Imports(circular=True, awaiting=False),
    ),
    Case(
        "a circle, a cache",
        "import'./n.mjs';export{get};var c;let k=9;function get(){return c||(c={a:log('made')})}log(get(),k);var d=1;log(d)",
        {"n.mjs": "import{get}from'./chunk.mjs';log(get())"},
        known=esm.Imports(circular=True, awaiting=False),
    ),
    Case(
        "a circle, a hook",
        "import'./n.mjs';export{hook};function hook(){return log(typeof k,w)}var w=2;var x=$.hook();var y=3;log(x,y)",
        {"n.mjs": "import{hook}from'./chunk.mjs';$.hook=hook"},
        known=esm.Imports(circular=True, awaiting=False),
    ),
    Case(
        "a circle, another's import",
        "import'./n.mjs';import{y}from'./o.mjs';export{f};function f(){return log(typeof g,g())}function g(){return y}log(f());var z=g();log(z)",
        {"n.mjs": "import{f}from'./chunk.mjs';try{f()}catch(e){log(e)}", "o.mjs": "export var y=4"},
        esm.Imports(("y",), circular=True, awaiting=False),
    ),
    Case(
        "a neighbour that awaits",
        "import{x}from'./n.mjs';var a=log($.n,'a');function f(){return a}log(f(),x);var b=$.n;log(b)",
        {"n.mjs": "log('n');await 0;$.n=log('awaited');export var x=1"},
        esm.Imports(circular=False, awaiting=True),
    ),
    Case(
        "a neighbour that awaits in a circle",
        "import{x}from'./n.mjs';export{f};var a=1;function f(){return typeof a+typeof g}function g(){}log(f(),x)",
        {"n.mjs": "import{f}from'./chunk.mjs';log(f());await 0;log(f());export var x=1"},
        None,
    ),
]


def _files(case: Case, chunk: bytes, vendors: Mapping[str, tuple[str, bytes]]) -> Program:
    # Vendors are named .js; a folder without a package.json would take that for CommonJS.
    files = {"package.json": b'{"type":"module"}', "chunk.mjs": chunk}
    files |= {name: text.encode() for name, text in case.neighbours.items()}
    files |= dict(vendors.values())
    return Program(files, "main.mjs" if "main.mjs" in files else "chunk.mjs")


def variants(case: Case) -> Iterator[Case]:
    """The program as it stands, and with something in front that can be noticed, so that nothing may run early."""
    yield case
    if not case.chunk.startswith("#!"):
        yield case._replace(chunk="log('first');" + case.chunk)


def splits(case: Case) -> Iterator[tuple[list[str], esm.Split]]:
    module = esm.Module(case.chunk.encode(), case.known)
    for labels in labellings(len(module.items), case.name):
        yield labels, module.cut(labels).split("chunk.mjs")


class Runtime(NamedTuple):
    """A bundler's: a text that runs a table of factories, how they refer to each other, and how one is written."""

    name: str
    text: str
    dialect: factories.Dialect
    factory: str
    first: str
    exports: str
    around: str = "%s"


def webpack_frame(directives: bytes, names: Sequence[tuple[str, str]]) -> tuple[bytes, bytes]:
    getters = ",".join(f"{key}:function(){{return {name}}}" for key, name in names)
    return b"function($m,$x,$r){" + directives + f"$r.d($x,{{{getters}}});".encode(), b"}"


WEBPACK = Runtime(
    "webpack",
    """var c={},own=Object.prototype.hasOwnProperty;function r(i){if(c[i])return c[i].exports;var m=c[i]={exports:{}};
F[i].call(m.exports,m,m.exports,r);return m.exports}
r.d=(e,d)=>{for(var k in d)own.call(d,k)&&!own.call(e,k)&&Object.defineProperty(e,k,{enumerable:true,get:d[k]})};
r.n=m=>{var g=m&&m.__esModule?()=>m.default:()=>m;r.d(g,{a:g});return g};
r.r=e=>Object.defineProperty(e,"__esModule",{value:true});r("main")""",
    factories.Dialect("$r", lambda _: True, lambda identifier: f'$r("{identifier}")', webpack_frame),
    "function($m,$x,$r){%s\n}",
    "$r('chunk')",
    "$r.d($x,{%s});",
)
TURBOPACK = Runtime(
    "Turbopack",
    """var c={};function i(k){if(c[k])return c[k].exports;var m=c[k]={exports:{}};F[k](new C(m),m,m.exports);return m.exports}
class C{constructor(m){this.m=m}r(k){return i(k)}v(x){this.m.exports=x}};i("main")""",
    context.dialect("$c"),
    "$c=>{%s\n}",
    "$c.r('chunk')",
    "$c.v({%s});",
)


# What stands around makes the old chunk's factories strict; the vendor's file has nothing of the kind.
STRICT = WEBPACK._replace(name="webpack, strict", around="(function(){'use strict';%s})();")
# Factories may know themselves by a name.
NAMED = WEBPACK._replace(name="webpack, named", factory="function own($m,$x,$r){%s\n}")
FIRST = "const F={};"


def table(runtime: Runtime, bodies: Mapping[str, str]) -> bytes:
    members = "".join(f'F["{name}"]={runtime.factory % body};' for name, body in bodies.items())
    return f"{FIRST}{runtime.around % members}\n{runtime.text}".encode()


def body_of(source: bytes, runtime: Runtime) -> factories.Body:
    """The first factory of a table."""
    tree = located(source)
    scopes = analyse_script(source, tree)
    start = source.index(runtime.factory.split("{")[0].encode(), source.index(b'F["chunk"]'))
    scope = scopes.function_at(start)
    assert scope is not None
    node = tree.root_node.descendant_for_byte_range(start, start + 1)
    while node is not None and node.child_by_field_name("body") is None:
        node = node.parent
    assert node is not None
    body = node.child_by_field_name("body")
    assert body is not None
    return factories.Body(scopes, scope, body, runtime.dialect)


def factory_splits(case: Case, runtime: Runtime) -> Iterator[tuple[list[str] | None, bytes]]:
    """The table as it is, and as it becomes."""
    source = table(
        runtime,
        {"chunk": case.chunk, "main": runtime.first} | dict(case.neighbours),
    )
    yield None, source
    body = body_of(source, runtime)
    for labels in labellings(len(body.items), case.name):
        made = body.cut(labels).split(lambda label, text: label + hashlib.sha256(text).hexdigest()[:8])
        vendors = b"".join(b'F["%s"]=%s;' % (one.identifier.encode(), one.factory) for one in made.vendors.values())
        rest = source[len(FIRST) : body.node.start_byte] + made.body + source[body.node.end_byte :]
        yield labels, FIRST.encode() + vendors + rest


FACTORY_CASES = [
    Case("n.d", "$r.d($x,{a:()=>x,f:()=>f});var x=log(1);function f(){return x++}log(f());log($r('o').y)", {"o": "$r.d($x,{y:()=>y});var y=5", "main": "var c=$r('chunk');log(c.a,c.f(),c.a)"}),
    Case("n.r, n.n", "$r.r($x);$r.d($x,{default:()=>A});var o=$r('o'),p=$r.n(o),q=p();class A{static x=p.a.z}log(q.z,A.x,typeof $x)", {"o": "$m.exports={z:3}", "main": "log(new($r('chunk').default)().constructor.x)"}),
    Case("a circle", "$r.d($x,{f:()=>f,x:()=>x,C:()=>C});function f(){return log(typeof x,typeof y,g())}function g(){return 7}var x=1,o=$r('o'),y=2;class C{}f();o.use()", {"o": "$r.d($x,{use:()=>use});var c=$r('chunk');c.f();log(c.x);function use(){log(c.x,c.f(),typeof c.C)}"}),
    Case("a circle that asks while it is evaluated", "$r.d($x,{x:()=>x,y:()=>y});var x=1;var z=$r('o').z;var y=2;log(x,y,z);$r('o').again()", {"o": "$r.d($x,{z:()=>z,again:()=>again});var c=$r('chunk');var z=log(c.x,c.y);function again(){log(c.x,c.y)}"}),
    Case("functions in blocks", "log(typeof f);{function f(){return 1}log(f())}if(log(1)){function g(){return 2}}try{log(f(),g())}catch(e){log(e)}"),
    Case("functions in blocks that are written", "{function f(){return 1}f=2;log(f)}try{log(f);f=3;log(f)}catch(e){log(e)}"),
    Case("heads of for in with a value", "for(var i=log('i')in{a:1})log(i);var o=log({b:2});for(var f=function(){}in(log('x'),o))if(f)for(var g=log(3)in{})log(g);log(f,g,i)"),
    Case("undeclared names", "try{zz=1;log(zz,delete globalThis.zz)}catch(e){log(e)}var a=typeof zz;log(a);try{undefined=1;log('written')}catch(e){log(e)}"),
    Case("comments of HTML", "var a=1;\n<!-- c\nlog(a);\n--> d\nvar b=log(2);\n<!--e\nlog(b)"),
    Case("var and function", "log(a());function a(){return 1}var b=a();var a=2;log(a,b)"),
    Case("function twice", "log(a());function a(){return 1}function a(){return 2}var b=a();log(b)"),
    Case("sloppy this", "function f(){return this===globalThis}var g=f;let h=f;h=g;log(f(),g(),h(),(0,h)(),(h)(),h?.(),h`x`)"),
    Case("return", "log(1);var a=2;if(a){log(a);return}log(3);var b=4"),
    Case("arguments and parameters", "var a=arguments.length;function f(){return arguments.length}log(a,f(1));$r=$r||1;$m.exports.x=5;log($m.exports===$x)"),
    Case("exports of CommonJS", "$m.exports=f;f.b=2;function f(){return this&&this.b}var g=f;log(typeof $m.exports)", {"main": "log($r('chunk').b,$r('chunk')())"}),
    Case("delete of a name", "var a=1;function f(){return delete a}log(f(),a)"),
    Case("names of words", "var async=3,of=4;for(var get of[1]);log(async,of,get);async=5;log(async)"),
    Case("patterns of words", "for(var async of[2]);var static=5;log(async,static)"),
    Case("octal and with-like names", "var a=010,b='\\07',undefined;log(a,b.length,undefined)"),
    Case("caller reads live names in heads", "let n1=[1,2];function set(){n1=[3]}set();for(const x of n1)log(x);for(let i=n1.length;i--;)log(n1[i]);if(n1)log(1);switch(n1){case n1:log('same')}log({...n1},[...n1],`${n1}`,n1?.[0],n1??0,-n1,typeof n1,void n1,!n1,n1 in{},n1 instanceof Array)"),
    Case("live names called after lines", "let k=0;function inc(){k++;return inc}\nlet f=()=>log(k)\nf=inc\nf()\nf()()\nif(k)f()\nelse f()\nf()\nlog(k) // x;\nf()\n/* y; */f()\nlog(k)\nlbl:f()\nvar z=k\nf`a`\nlog(k);switch(k){case 1:f()\nf()\ndefault:f()\nf()}do f()\nwhile(0)f()\nlog(k)"),
    Case("live names in classes and calls", "let B=class{s=1};B=class{s=2};class A extends B{}let m=(c)=>c;m=c=>class extends c{};class D extends m(B){};log(new A().s,new D().s,new B().s,new(m(B))().s,new B,new(class extends B{t=B})().t===B)"),
]  # fmt: skip
ESM_ONLY = ("import", "export", "await", "#!", "for(var async", "async generators")


WHERE_STRICTNESS_SHOWS = ("this", "undeclared names", "functions in blocks", "arguments", "function twice", "catch and its names", "fields", "directives", "sloppy this")  # fmt: skip


def factory_cases(runtime: Runtime) -> Iterator[Case]:
    if runtime is STRICT:
        cases = [case for case in (*CASES, *FACTORY_CASES) if case.name.startswith(WHERE_STRICTNESS_SHOWS)]
        yield from cases
        yield from (case._replace(chunk="'use client';" + case.chunk) for case in cases)
        return
    if runtime is NAMED:
        yield Case(
            "a factory that knows itself",
            "log(own===$r.own);var a=own.length;function f(){return typeof own}log(a,f());own=1;log(typeof own)",
        )
        yield from FACTORY_CASES[:9]
        return
    if runtime is WEBPACK:
        yield from FACTORY_CASES
    for case in CASES:
        if not any(word in case.chunk for word in ESM_ONLY) and case.name != "this":
            strict = "" if "use strict" in case.chunk else "'use strict';"
            yield case
            yield case._replace(chunk=strict + case.chunk)


def compare(programs: Iterable[tuple[Case, list[str] | None, Program]], folder: Path, *, early: bool = True) -> None:
    """Fails where a program does not log what the one without labels before it does.

    early: without it, programs do not count that read a binding before its declaration: what reads of functions that
    are called too early find is not kept (`esm`).
    """
    rows = list(programs)
    before: list[str] = []
    wrong: dict[str, str] = {}
    for (case, labels, program), log in zip(rows, run([row[2] for row in rows], folder), strict=True):
        if labels is None:
            before = log
            assert log, case.name
            assert not early or log[-1].startswith("threw") is case.throws, (case.name, log)
        elif log != before and (early or not any("ReferenceError" in line for line in before)):
            shown = "\n".join(f"--- {name}\n{text.decode()}" for name, text in program.files.items())
            wrong.setdefault(case.name, f"{case.name} {labels}\n{shown}\nbefore {before}\nafter  {log}")
    assert not wrong, f"{len(wrong)} differ\n" + "\n\n".join(wrong.values())


@needs_node
def test_modules(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[Case, list[str] | None, Program]]:
        for case in itertools.chain.from_iterable(map(variants, CASES)):
            yield case, None, _files(case, case.chunk.encode(), {})
            for labels, made in splits(case):
                yield case, labels, _files(case, made.chunk, made.vendors)

    compare(rows(), tmp_path)


@needs_node
@pytest.mark.parametrize("runtime", [WEBPACK, TURBOPACK, STRICT, NAMED], ids=lambda runtime: runtime.name)
def test_factories(runtime: Runtime, tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[Case, list[str] | None, Program]]:
        for case in factory_cases(runtime):
            for labels, text in factory_splits(case, runtime):
                yield case, labels, Program({"main.cjs": text}, "main.cjs")

    compare(rows(), tmp_path)


def at_random(chance: random.Random) -> tuple[Case, Runtime | None]:
    """A program, and the runtime if it is a factory. A neighbour may call it while it is evaluated."""
    runtime = chance.choice((None, WEBPACK, TURBOPACK, STRICT))
    writer = Writer(chance, sloppy=runtime in (WEBPACK, TURBOPACK))
    text, exported = writer.program(), writer.exported()
    circular = chance.random() < 0.3
    uses = "".join(f"log(use(()=>c.{name}));use(c.{name});" for name in exported)
    if runtime is None:
        text = ("import'./n.mjs';" if circular else "") + f"{text};export{{{','.join(exported)}}}"
        early = "".join(f"use(()=>c.{name}());" for name in exported)
        others = {
            "n.mjs": f"import*as c from'./chunk.mjs';on(()=>{{{early}}});{early}",
            "main.mjs": f"{PRELUDE}const c=await import('./chunk.mjs').catch(e=>(log(e),{{}}));{uses}use(emit);log('end')",
        }
        return Case(text, text, others, esm.Imports(circular=circular, awaiting=False)), None
    getter = "get {0}(){{return {0}}}" if runtime is TURBOPACK else "{0}:()=>{0}"
    text = runtime.exports % ",".join(map(getter.format, exported)) + text
    if circular:
        text = runtime.first.replace("chunk", "o") + ";" + text
    others = {
        "o": f"var c={runtime.first};{uses}on(()=>{{{uses}}})",
        "main": f"{PRELUDE}try{{var c={runtime.first};{uses}}}catch(e){{log(e)}}use(emit);log('end')",
    }
    return Case(text, text, others), runtime


def random_rows(seed: int, count: int) -> Iterator[tuple[Case, list[str] | None, Program]]:
    chance = random.Random(seed)
    for _ in range(count):
        case, runtime = at_random(chance)
        try:
            if runtime is None:
                found = [(None, _files(case, case.chunk.encode(), {}))]
                found += [(labels, _files(case, made.chunk, made.vendors)) for labels, made in splits(case)]
            else:
                made = factory_splits(case, runtime)
                found = [(labels, Program({"main.cjs": text}, "main.cjs")) for labels, text in made]
        except Refused:
            continue
        yield from ((case, *row) for row in [found[0], *chance.sample(found[1:], min(len(found) - 1, 8))])


@needs_node
@settings(max_examples=4, deadline=None, derandomize=True)
@given(st.integers(min_value=0, max_value=1 << 32))
def test_programs_made_by_chance(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    compare(random_rows(seed, 60), tmp_path_factory.mktemp("programs"), early=False)


DEEP = {
    "brackets": "var a=" + "[" * 5_000 + "]" * 5_000,
    "classes": "var a=" + "class{static x=" * 2_000 + "1" + "}" * 2_000,
    "functions": "function f(){" * 2_000 + "}" * 2_000,
    "arrows": "var a=" + "()=>" * 5_000 + "1",
    "conditions": "var a=" + "1?2:" * 5_000 + "3",
    "operands": ",".join(f"a{number}=1" for number in range(20_000)),
    "calls": "f" + "(1)" * 5_000,
    "blocks": "{" * 2_000 + "var x=1" + "}" * 2_000,
    "statements": "".join(f"var a{number}=f(a{number // 2});" for number in range(10_000)),
}


@pytest.mark.parametrize("chunk", DEEP.values(), ids=DEEP)
def test_nothing_is_too_deep(chunk: str) -> None:
    module = esm.Module((chunk + ";var last=1").encode())
    ways = (list(itertools.islice(itertools.cycle(labels), len(module.items))) for labels in (["v", ""], ["", "v"]))
    assert any(module.cut(labels).split("chunk.mjs").vendors for labels in ways)


REFUSED = {
    "parameters with default values": ("function($m,$x,$r=1){%s\n}", "var a=1", Reason.DEFAULTS),
    "a function in place of the runtime": ("function($m,$x,$r){%s\n}", "var a=1;function $r(){}", Reason.REDECLARED_PARAMETER),
    "two parameters of one name": ("function($m,$m,$r){%s\n}", "var a=1", Reason.REDECLARED_PARAMETER),
    "eval": ("function($m,$x,$r){%s\n}", "var a=1;function f(){eval('a')}", Reason.EVAL),
    "with": ("function($m,$x,$r){%s\n}", "var a=1;with({})a", Reason.WITH),
    "a labelled function": ("function($m,$x,$r){%s\n}", "var a=1;l:function f(){}", Reason.LABELLED_FUNCTION),
}  # fmt: skip


@pytest.mark.parametrize(("factory", "body", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(factory: str, body: str, reason: Reason) -> None:
    runtime = WEBPACK._replace(factory=factory)
    with pytest.raises(Refused) as caught:
        body_of(table(runtime, {"chunk": body}), runtime)
    assert caught.value.reason is reason


def test_what_decorators_call_stays() -> None:
    """No engine runs them yet. A call of a member would have a receiver, and no bracket may stand there."""
    for decorator in ("@f", "@f(1)", "@ f.x"):
        body = body_of(table(WEBPACK, {"chunk": f"function f(){{}}f=f;{decorator} class A{{}}"}), WEBPACK)
        assert not body.cut(["v", "v", ""]).labels


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_something_moves(case: Case) -> None:
    """Else the comparison says nothing."""
    assert any(made.vendors for _, made in splits(case)) is not case.stays
