import type { PlantedBug } from "../planted-bug.ts";

/** Bugs in what a list proves that holds items which cannot be understood. */
export const ODD_ITEM_BUGS: readonly PlantedBug[] = [
  {
    name: "odd item taken for an absent task",
    breaks: "A task whose own item cannot be understood is given up as gone after two days.",
    invariant: "I5",
    file: "lib/archive/inspect-task.ts",
    find: 'return listedAs(list, exportTaskId) === "odd"',
    replace: "return list.tasks.length < 0",
  },
  {
    name: "odd list proves absence",
    breaks: "An archived task counts as deleted because a list shows it as an item without an id.",
    invariant: "I3",
    file: "lib/archive/missing-task.ts",
    find: 'if (listedAs(state.list, attempt.exportTaskId) !== "absent") {',
    replace: 'if (listedAs(state.list, attempt.exportTaskId) === "listed") {',
  },
  {
    name: "delete confirmed by an odd list",
    breaks: "A delete that never arrived counts as done because the next list shows an item without an id.",
    invariant: "I3",
    file: "lib/archive/delete-task.ts",
    find: "if (doubt !== undefined) {",
    replace: 'if (doubt === "left-alone") {',
  },
  {
    name: "odd sibling ignored",
    breaks: "A task is deleted although an item that cannot be understood shares its file.",
    invariant: "I1",
    file: "lib/run/siblings.ts",
    find: "if (oddItems.some(({ condition }) => condition !== undefined && conditionKey(condition) === key)) {",
    replace: "if (oddItems.length < 0) {",
  },
  {
    name: "one odd item puts every task in doubt",
    breaks: "Beside an item that cannot be understood no delete is ever confirmed.",
    invariant: "I3",
    file: "lib/run/platform-list.ts",
    find: "if (list.oddItems.some(({ id }) => id === exportTaskId)) {",
    replace: "if (list.oddItems.length > 0) {",
  },
];
