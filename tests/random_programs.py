"""Programs made by chance, of declarations that read, write and call each other across each other's places."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

# What programs need of the page: a call of whatever it is, so often that no two functions go on for ever, and an error
# is logged; a list of functions that others call.
PRELUDE = """globalThis.use=(v,...a)=>{if(($.n=($.n|0)+1)>60)return 0;try{return typeof v==="function"?
/^class/.test(Function.prototype.toString.call(v))?new v(...a):v(...a):v&&v.m?v.m():v}catch(e){log(e);return 0}};
globalThis.on=f=>($.l??=[]).push(f);globalThis.emit=()=>($.l??[]).forEach(f=>use(f));"""


class Writer:
    """One program. sloppy: whether its text may be what strict code does not allow, or means otherwise there."""

    def __init__(self, chance: Random, *, sloppy: bool) -> None:
        self.chance = chance
        self.sloppy = sloppy
        self.names = [f"n{number}" for number in range(chance.randint(2, 9))]
        self.kinds: dict[str, str] = {}

    def program(self) -> str:
        statements: list[str] = []
        # Most programs have nothing that must not be read early, since they are worth nothing if it is.
        late = () if self.chance.random() < 0.6 else ("let", "const", "class")
        for name in self.names:
            self.kinds[name] = self.chance.choice(("var", "var", "function", "function", *late))
        for name in self.names:
            statements.append(self.declaration(name))
            statements += [self.statement() for _ in range(self.chance.randrange(3))]
        if self.chance.random() < 0.3:
            self.chance.shuffle(statements)
        return self.chance.choice(("", ";", "\n")).join(statements)

    def exported(self) -> list[str]:
        return sorted(self.chance.sample(self.names, self.chance.randint(0, len(self.names))))

    # Words

    def number(self) -> str:
        return str(self.chance.randrange(90))

    def name(self) -> str:
        return self.chance.choice(self.names)

    def written(self) -> str:
        """A name that may be written, or none."""
        return self.chance.choice([one for one in self.names if self.kinds[one] not in ("const", "class")] or ["$.w"])

    def value(self, depth: int = 2) -> str:
        if depth == 0 or self.chance.random() < 0.25:
            return self.chance.choice((self.number(), self.name(), f"'{self.number()}'"))
        one, other = self.value(depth - 1), self.value(depth - 1)
        name, target, inner = self.name(), self.written(), self.body(depth - 1)
        forms = (
            f"use({name})",
            f"use({name},{one})",
            f"use(()=>{one})",
            f"log({one})",
            f"(log({one}),{other})",
            f"[{one},{other}].length",
            f"({{{name}}}).{name}",
            f"typeof {name}",
            f"`${{typeof {one}}}`",
            f"({one}===({other})?1:{name})",
            f"use(function(){{{inner}}})",
            f"(({name})=>{one})({other})",
            f"use(()=>({target}={one}))",
            f"({{get m(){{return()=>{one}}}}})",
            f"use(()=>{name}({one}))",
            f"use(()=>(0,{name})`{self.number()}`)",
            f"use(()=>new {name}().f)",
            f"({one}??{other})",
            f"use(on,()=>{one})",
            "use(emit)",
            "()=>" + (one if not one.startswith("{") else f"({one})"),
            f"function(){{{inner}}}",
            f"class{{f={one};m(){{{inner}}}}}",
        )
        return self.chance.choice(forms)

    def body(self, depth: int = 1) -> str:
        """Of a function."""
        this = "log(typeof this);" if self.chance.random() < 0.3 else ""
        inner = self.chance.choice(("", f"let {self.name()}=5;", f"var x={self.name()};"))
        write = f"{self.written()}={self.value(depth)};" if not inner and self.chance.random() < 0.4 else ""
        return f"{this}{inner}{write}return {self.value(depth)}"

    # Statements

    def declaration(self, name: str) -> str:
        kind = self.kinds[name]
        if kind == "function":
            word = self.chance.choice(("function ", "function ", "function*", "async function "))
            return f"{word}{name}(a){{{self.body()}}}\n"
        if kind == "class":
            mother = self.chance.choice(("", "", f" extends(use(()=>{self.name()}),Object)"))
            parts = (
                f"m(){{{self.body()}}}",
                f"f={self.value(1)};",
                f"static s={self.value(1)};",
                f"static m(){{{self.body()}}}",
                f"get g(){{{self.body()}}}",
                f"static{{log({self.value(1)})}}",
                f"#p={self.value(1)};q(){{return this.#p}}",
                f"[log({self.number()})]=1;",
            )
            return f"class {name}{mother}{{{''.join(self.chance.sample(parts, self.chance.randrange(4)))}}}\n"
        value = self.value()
        plain = f"{kind} {name}={value};"
        if kind == "const":
            return self.chance.choice((plain, f"const[{name}]=[{value}];", f"const{{{name}=log({value})}}={{}};"))
        forms = [plain, plain, plain, f"{kind} {name};{name}={value};", f"{kind}[{name}={value}]=[];"]
        if kind == "var":
            again = f"var {name}={self.value(1)};"
            forms += [
                plain + again,
                f"if({self.value(1)}){plain}",
                f"for(var {name}of[1,{value}])log({name});".replace("of", " of"),
                f"for(var {name}=0;{name}<2;{name}++)use(()=>{self.value(1)});",
                f"try{{{plain}throw 1}}catch(e){{log(e)}}",
                f"{{var{{{name}}}={{{name}:{value}}}}}",
                f"var {name}=log(1),_{name}={value};log(_{name});",
                f"var {name};(function(o){{o.m=()=>{self.value(1)};o.x=1}})({name}||({name}={{}}));",
            ]
            if self.sloppy:
                forms += [f"{{function {name}(){{{self.body()}}}}}", f"for(var {name}={value} in{{a:1}})log({name});"]
        return self.chance.choice(forms)

    def statement(self) -> str:
        target, value = self.written(), self.value()
        forms = (
            f"log({value});",
            f"log({self.name()});",
            f"use({self.name()});",
            f"{target}={value};",
            f"({value}),{target}={self.value(1)},log({self.name()});",
            f"[{target}]=[{value}];\n",
            f"({{a:{target}}}={{a:{value}}});",
            f"try{{{target}++;log({value})}}catch(e){{log(e)}}finally{{log('f')}}",
            f"for({target} of[1,2])use({self.name()});",
            f"for(let i=0;i<2;i++)on(()=>log(i,typeof {self.name()}));",
            f"a:for(const x of[1,2]){{if(x==2)break a;log({value})}}",
            f"switch({value}){{case {self.name()}:log(1);break;default:{target}={self.value(1)}}}",
            f"{target}||=({value});",
            f"on(()=>log({self.value(1)}));",
            "use(emit);",
            f"if({value})log({self.name()});else {target}={self.value(1)};",
            f"/* {self.number()} */log({self.name()})// {self.number()};\n",
            f"'{self.number()}';",
        )
        return self.chance.choice(forms)
