/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine under a daemon that lives in a test: its clock, its cards, what the kernel was given,
 * and the calls that fail. It outlives the daemon's process as a real one does; `machine_off` takes
 * the power. One a process, because what it stands in for is one a machine.
 */
#ifndef SEKISHO_TESTS_LIFE_MACHINE_H
#define SEKISHO_TESTS_LIFE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/box/loan.h"

#define CARDS 4u
#define SECOND 1000000000ull

enum card_place { CARD_HOME, CARD_DATA, CARD_ADMIN };

struct card {
	const char *name;
	enum card_place place;
	bool ridden; /* a session of the machine's own goes over it while it is at home */
};

struct machine {
	uint64_t mono_ns, wall_ns;
	char boot[WAS_BOOT_ID];
	struct card cards[CARDS];
	/*
	 * The kernel's side. `digest`: of the generation whose rules stand; zero = the deny base
	 * alone.
	 */
	bool base, forwarding;
	bool stuck; /* forwarding cannot be turned off */
	/* by which the supervisor hears of others' changes; whoever writes to it makes one */
	int monitor;
	uint8_t digest[32];
	bool isolated; /* something is */
	/* until then, in seconds of the wall's clock, a door stands open; 0 = it is shut */
	uint64_t gate_open;
	/*
	 * Calls that can fail, counted since the machine was made; the one with number `fails_at`
	 * does (0 = none), and `failed` says which that was.
	 */
	uint64_t calls, fails_at;
	const char *failed;
	bool disk_full;
};

extern struct machine machine;

void machine_new(void);
/* Another start of the machine: no rules, no namespaces, every card at home. */
void machine_off(void);
struct card *machine_card(const char *name); /* NULL = there is none */
/* To be asked by every call that stands in for one that may fail: 0, or a negative errno and *e. */
int machine_call(const char *what, struct err *e);

#endif
