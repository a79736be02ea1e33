// Reads from the first bytes of a program which platform it was built for.

/** How the targets of VS Code call the machines, by their numbers in ELF, PE and Mach-O headers. */
const MACHINES = {
  linux: new Map([[0x3e, "x64"], [0xb7, "arm64"], [0x28, "armhf"]]),
  win32: new Map([[0x8664, "x64"], [0xaa64, "arm64"]]),
  darwin: new Map([[0x0100_0007, "x64"], [0x0100_000c, "arm64"]]),
};

/** Returns the platforms that a program can run on, like `linux-x64`; none if it is no program of theirs. */
export function platformsOf(program) {
  const read = (offset, bytes, order = "LE") => (offset + bytes <= program.length ? program[`readUInt${bytes * 8}${order}`](offset) : undefined);
  const named = (system, machine) => (MACHINES[system].has(machine) ? [`${system}-${MACHINES[system].get(machine)}`] : []);
  if (read(0, 4, "BE") === 0x7f45_4c46) {
    return named("linux", read(18, 2));
  }
  if (read(0, 4) === 0xfeed_facf) {
    return named("darwin", read(4, 4));
  }
  if (read(0, 4, "BE") === 0xcafe_babe) {
    // One program for several machines: a table of 20 bytes each. Class files of Java begin with the same four bytes; what is
    // their version here is more machines than there are.
    const count = read(4, 4, "BE") ?? 0;
    return count > 16 ? [] : Array.from({ length: count }, (_, of) => named("darwin", read(8 + of * 20, 4, "BE"))).flat();
  }
  const header = read(0, 2, "BE") === 0x4d5a ? read(0x3c, 4) : undefined;
  if (header !== undefined && read(header, 4, "BE") === 0x5045_0000) {
    return named("win32", read(header + 4, 2));
  }
  return [];
}

/** Returns why a program cannot be the server of a target, nothing if it can. */
export function refusal(target, program) {
  const platforms = platformsOf(program);
  // Alpine is Linux with another C library, which the header does not name.
  if (platforms.includes(target.replace(/^alpine-/, "linux-"))) {
    return undefined;
  }
  return platforms.length === 0
    ? `is no program for ${target}: its header is none of a Linux, Windows or macOS program`
    : `was built for ${platforms.join(" and ")}, not for ${target}`;
}
