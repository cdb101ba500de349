/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine of a daemon that lives in a test: its clock, its cards, what was given to the kernel,
 * and the calls that fail. It outlives the daemon's process, as a real machine does; `machine_off`
 * turns the power off. There is one in each process.
 */
#ifndef SEKISHO_TESTS_LIFE_MACHINE_H
#define SEKISHO_TESTS_LIFE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/clock_source.h"
#include "appliance/base/err.h"
#include "appliance/box/loan.h"
#include "appliance/role/outstanding.h"

#define CARDS 4u
#define SECOND 1000000000ull

enum card_place { CARD_HOME, CARD_DATA, CARD_ADMIN };
#define LINK_PLACES 3u

struct card {
	const char *name;
	enum card_place place;
	/* an SSH session to the machine uses this card while it is in the first namespace */
	bool ridden;
};

struct machine {
	uint64_t mono_ns, wall_ns;
	enum clock_sync sync; /* whether the clock follows a source */
	uint64_t battery_s;   /* the battery's clock, 0 = there is none */
	uint32_t person;      /* uid of whoever is connected to the daemon and asks */
	char boot[LOAN_BOOT_ID];
	struct card cards[CARDS];
	/*
	 * The state of the kernel. `digest`: of the generation whose rules are loaded; zero = only
	 * the deny base.
	 */
	bool base, forwarding;
	bool stuck; /* forwarding cannot be turned off */
	/* a socket from which the supervisor learns of changes by others; a write to it is such a
	 * change */
	int monitor;
	/* where it learns of links in its own namespaces, and in the first one */
	int links[LINK_PLACES];
	uint8_t digest[32];
	bool ends_stand;	  /* the rules have elements that end by time */
	struct queue_state queue; /* the only queue with counts; number 0 = none */
	bool isolated;		  /* something is isolated */
	bool ends_wait;		  /* what has an end is shut, because the clock is not trusted */
	/* a door is open until then, in seconds of the wall clock; 0 = it is shut */
	uint64_t gate_open;
	/*
	 * Calls that can fail, counted since the machine was made. The call with number `fails_at`
	 * fails (0 = none), and `failed` names it.
	 */
	uint64_t calls, fails_at;
	const char *failed;
	bool disk_full;
	/* the disk has no room for files whose path has this; NULL = none */
	const char *no_room_for;
};

extern struct machine machine;

void machine_new(void);
/* A restart of the machine: no rules, no namespaces, every card in the first namespace. */
void machine_off(void);
struct card *machine_card(const char *name); /* NULL = there is none */
/* To be called by every replaced function that may fail: 0, or a negative errno and *e. */
int machine_call(const char *what, struct err *e);

#endif
