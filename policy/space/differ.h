/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How two checked policies differ in effect: which packets and commands pass under one of them
 * alone, and what is done differently with those that pass under both (failure decisions, weak TLS
 * and so on). From `now` on, at every moment: an end that moves is a difference for the time
 * between. Conduits that are the same in both are looked at only where one that differs overlaps
 * them. Pure; all memory is the caller's arena.
 */
#ifndef SEKISHO_POLICY_SPACE_DIFFER_H
#define SEKISHO_POLICY_SPACE_DIFFER_H

#include "policy/check/model.h"

enum differ_kind {
	DIFFER_PACKETS,	 /* they pass, and did not; or the other way round */
	DIFFER_COMMANDS, /* they pass in both, with other commands */
	DIFFER_TREATED,	 /* the same, and something else is done with them */
	/* the same, and their sessions may last or be silent for longer; or less long */
	DIFFER_LIMITS,
};

struct differ_place {
	struct addr_range src, dst;
	uint8_t l4proto; /* 1 and 58 for ICMP */
	uint16_t lo, hi;
};

/* One sentence. */
struct differ_line {
	enum differ_kind kind;
	bool comes; /* becomes possible; else becomes impossible. Of DIFFER_TREATED: true */
	/* services, commands or settings, by name, with a comma between two; "" = anything */
	const char *what;
	const struct model_conduit *by;	 /* that it is for */
	bool by_old;			 /* that is one of the old policy's */
	uint64_t since, until;		 /* seconds since 1970; 0 = from now on, without end */
	const struct differ_place *list; /* where; disjoint */
	size_t n;
};

/*
 * *ret: the sentences, most of all first; none: the policies mean the same. False: not to be told,
 * since memory is out (the arena has failed) or the two are too large to be laid over each other.
 */
bool differ(const struct model *old, const struct model *new, uint64_t now, struct arena *a, struct differ_line **ret,
	    size_t *ret_n);

#endif
