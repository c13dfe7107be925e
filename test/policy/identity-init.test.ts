import { describe, expect, test } from "vitest";
import { recordKey } from "../../lib/domain/key-layout.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { Memory, ONE, OTHER, Place, SECRET } from "./identity-scene.ts";

describe("init", () => {
  test("makes an archive, says what lies there, and finds it the second time", async () => {
    const place = new Place();
    place.plant("photos/a.jpg", "x");
    const made = await place.init();
    expect(made).toMatchObject({ made: true, found: [{ name: "photos/", objects: 1 }] });
    expect(await place.init()).toMatchObject({ made: false, archiveId: made.archiveId });
    expect((await place.open()).marker?.archiveId).toBe(made.archiveId);
  });

  test("gives the archive the id that is set", async () => {
    const place = new Place();
    expect(await place.init(false, OTHER)).toMatchObject({ made: true, archiveId: OTHER });
  });

  test("makes none in an empty place while the queue remembers one, unless it is meant", async () => {
    const place = new Place();
    place.memory = new Memory(ONE);
    await expect(place.init()).rejects.toMatchObject({
      code: "no-archive",
      hint: expect.stringContaining("init --adopt"),
    });
    expect(place.keys()).toEqual([]);
    const { archiveId } = await place.init(true);
    expect(place.memory.archiveId).toBe(archiveId);
    expect(archiveId).not.toBe(ONE);
  });

  test("takes another archive only when that is meant", async () => {
    const place = new Place();
    place.mark();
    place.memory = new Memory(OTHER);
    await expect(place.init()).rejects.toMatchObject({ code: "another-archive" });
    expect(await place.init(true)).toMatchObject({ made: false, archiveId: ONE, replaced: OTHER });
    expect(place.memory.archiveId).toBe(ONE);
  });
});

test("what is there for people is written without secrets, and nothing else is touched", async () => {
  const place = new Place();
  place.mark();
  const store = place.store();
  const text = JSON.stringify({ body: JSON.stringify({ a: SECRET }), attempts: 0, [SECRET]: 1 });
  const redacted = { body: JSON.stringify({ a: "[redacted]" }), attempts: 0, [SECRET]: 1 };
  const ofTask = recordKey(place.world.scope, "task-1", "fe8e44f7", "dead-letter", 2);
  const forPeople = ["runs/x.json", "dead-letters/x.json", "holds/lifted/x.json", "holds/x.json", ofTask];
  const forPrograms = [
    recordKey(place.world.scope, "task-1", "fe8e44f7", "archived", 1),
    "state/pacing.json",
    "requests/x.json",
  ];
  for (const key of [...forPeople, ...forPrograms]) {
    await place.world.run(() => store.putDocument(key, text, { kind: "always" }, ALWAYS));
    const written = await place.world.run(() => store.getDocument(key, ALWAYS));
    expect([key, JSON.parse(written?.text ?? "")]).toEqual([
      key,
      forPeople.includes(key) ? redacted : JSON.parse(text),
    ]);
  }
});
