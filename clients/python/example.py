"""Whom were John Kerry's counterparts in contact with before the talks broke down? In one round trip."""

import sys

import demarche
from demarche import of


async def main(address):
    async with demarche.connect(address) as session:
        state = await session.snapshot()
        walkout = of("hnc-walkout")
        before = state.actor("john-kerry").contacts(before=walkout).counterparts().contacts(before=walkout)
        page = await before.page(limit=5, records=True)
        for record in page.records:
            print(record.when, record.kind, record.place or "-", record.key)
        rows = session.query("MATCH (a)-[c:CALL]-(b) RETURN a.name AS caller, c.when AS day LIMIT 3")
        async for caller, day in rows:
            print(caller, day)


demarche.run(main(sys.argv[1]))
