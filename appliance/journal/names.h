/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the numbers in event records mean: permits, conduits, files, interfaces of the last few generations. Journal role
 * only. A record may come from a worker that still judged by the generation before; its permit id says by which.
 */
#ifndef SEKISHO_JOURNAL_NAMES_H
#define SEKISHO_JOURNAL_NAMES_H

#include "appliance/wire/event.h"
#include "policy/ir/ir.h"

#define NAMES_KEPT 4u

struct named_generation {
	struct arena *arena;
	uint8_t *sealed;
	struct ir *ir;
	uint32_t *ids;	   /* per permit index */
	uint32_t *indexes; /* kernel index per interface, 0 = none */
};

/* Start from zero bytes; newest first. */
struct names {
	struct named_generation list[NAMES_KEPT];
	size_t n;
};

/*
 * Takes `all` (malloc'd: n_sealed bytes of a generation, then n_map bytes of permit ids), and from `indexes` as many
 * u32 as there are; missing ones count as absent. 0 or negative errno, with the names as they were.
 */
int names_add(struct names *n, uint8_t *all, size_t size, size_t n_sealed, size_t n_map, struct bytes indexes,
	      struct err *e);

struct named {
	const char *conduit;   /* NULL = unknown */
	const char *file;      /* NULL = unknown */
	uint32_t line;	       /* 0 = unknown */
	const char *interface; /* role name, NULL = unknown */
};

/* Strings live until the generation is forgotten. */
void names_of_event(const struct names *n, const struct event *e, struct named *ret);

#endif
