"""Makes templates.json anew: the templates of the file that is there and those below, rendered by jinja2 in transformers' settings.

    python make_templates.py < templates.json > new.json        needs jinja2"""
import datetime, json, sys

from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

MORE = [
    "{% set d = {1: 'one', 'two': 2, none: 'n', true: 't', 2.5: 'x'} %}{{ d[1] }}|{{ d[1.0] }}|{{ d.two }}|{{ d[none] }}|{{ d }}|{{ d|tojson }}|{{ 2.5 in d }}|{{ 7 in d }}|{{ d.get(2.5) }}|{{ d.get(9, 'no') }}"
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in {0: 1, 512: 2} %}{{ k + 1 }},{% endfor %}{{ {0: 'a', 512: 'b'}|length }}",
    "{% set x = {'b': [1, 2.5, none, true], 'a': {'\u00e9\U0001f600': '\"\\\\/\\n\\t\\u0001<'}, 'c': [], 'd': {}} %}{{ x|tojson }}|{{ x|tojson(true) }}|{{ x|tojson(ensure_ascii=true) }}|{{ x|tojson(indent=2) }}|"
    "{{ x|tojson(indent=2, sort_keys=true) }}|{{ x|tojson(separators=(',', ':')) }}|{{ x|tojson(false, 1, ('; ', ' = '), true) }}|{{ x|tojson(indent=0) }}|{{ x|tojson(indent='--') }}|{{ [1]|tojson(indent=none) }}",
    "{% for m in messages %}{{ loop.cycle('odd', 'even') }} {{ loop.depth }}{{ loop.depth0 }} {% if loop.changed(m.role) %}new {% endif %}{{ m.role }}{% set outer = loop %}{% for i in [1, 2] %}{{ outer.cycle(1, 2, 3) }}{{ loop.changed(7) }}{% endfor %};{% endfor %}",
    "{% set tree = [{'n': 'a', 'c': [{'n': 'b', 'c': []}, {'n': 'c', 'c': [{'n': 'd', 'c': []}]}]}, {'n': 'e', 'c': []}] %}"
    "{% for t in tree recursive %}{{ t.n }}{{ loop.depth }}{% if t.c %}[{{ loop(t.c) }}]{% endif %}{% if not loop.last %},{% endif %}{% endfor %}",
    "{{ tools is defined }}|{{ documents is defined }}|{% if tools %}t{% else %}none{% endif %}|{% for t in tools %}{{ t }}{% endfor %}|{{ tools|length }}|{{ (tools or [])|tojson }}",
    "{{ 'a-b-c'.partition('-') }}|{{ 'a-b-c'.rpartition('-') }}|{{ 'abc'.partition('x') }}|{{ 'abcb'.rfind('b') }}|{{ 'abcb'.rindex('b') }}|{{ 'abcb'.index('b') }}|{{ '-7'.zfill(4) }}|{{ 'ab'.ljust(5, '.') }}|{{ 'ab'.rjust(5) }}|{{ 'abc'.center(8, '*') }}|"
    "{{ 'Ab1'.isalnum() }}{{ 'Ab'.isalpha() }}{{ '12'.isnumeric() }}{{ ' '.isspace() }}{{ 'ab'.islower() }}{{ 'AB'.isupper() }}{{ ''.isalpha() }}|{{ 'aBc'.swapcase() }}|{{ 'ABC'.casefold() }}",
    "{{ '%s and %d, %05.1f %x%%'|format('a', 7, 2.25, 255) }}|{{ '%-4s|%4s' % ('a', 'b') }}|{{ '%s' % 3 }}|{{ 'one two, three'|wordcount }}|{{ [1, 2, 3, 4, 5]|batch(2)|list }}|{{ [1, 2, 3]|batch(2, 'x')|list }}|{{ [1, 2, 3, 4, 5]|slice(3)|list }}|"
    "{% for role, ms in messages|groupby('role') %}{{ role }}:{{ ms|length }};{% endfor %}|{{ 'ab'|center(6) }}|",
    "{% for m in messages %}{% if m.role == 'ipython' %}I{% elif m.role == 'developer' %}D{% else %}{{ m.role }}{% endif %}{{ m['content'] }}{% endfor %}{{ dict(a=1, b=2)|items|list }}{{ dict({'x': 1}, y=2) }}",
]


def refuse(message):
    raise ValueError(message)


def main():
    old = json.load(sys.stdin)
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    env.filters["tojson"] = lambda x, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    env.globals.update(raise_exception=refuse, strftime_now=lambda f: datetime.datetime(2026, 1, 2, 3, 4, 5).strftime(f))
    templates = [case["template"] for case in old["cases"]]
    templates += [template for template in MORE if template not in templates]
    cases = []
    for template in templates:
        rows = []
        for chat in old["chats"]:
            for prompt in (True, False):
                try:
                    rows.append(env.from_string(template).render(messages=chat, add_generation_prompt=prompt, bos_token="<BOS>", eos_token="<EOS>"))
                except Exception as problem:
                    print(template[:60], problem, file=sys.stderr)
                    rows.append(None)
        cases.append({"template": template, "rendered": rows})
    old["cases"] = cases
    json.dump(old, sys.stdout, ensure_ascii=True, indent=1)
    print()


main()
