// pipewright/register: nothing to import from; loading it is all. See docs/child_process.md.

export {};
