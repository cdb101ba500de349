/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How two checked policies differ in effect: which packets and commands pass under only one of
 * them, and what is done differently with those that pass under both (failure decisions, weak TLS
 * and so on). Every moment from `now` on is compared. So if only the end of a conduit differs, the
 * policies differ between the two ends. Conduits that are the same in both policies are compared
 * only where a conduit that differs overlaps them. Pure; all memory is the caller's arena.
 */
#ifndef SEKISHO_POLICY_SPACE_DIFFER_H
#define SEKISHO_POLICY_SPACE_DIFFER_H

#include "policy/check/model.h"

enum differ_kind {
	DIFFER_PACKETS,	 /* packets pass under only one of the policies */
	DIFFER_COMMANDS, /* packets pass under both, but a command only under one */
	DIFFER_TREATED,	 /* packets pass under both, but another setting applies to them */
	DIFFER_LIMITS,	 /* packets pass under both, but `idle` or `session` has another length */
};

struct differ_place {
	struct addr_range src, dst;
	uint8_t l4proto; /* 1 and 58 for ICMP */
	uint16_t lo, hi;
};

/* A window or a door, which is open or shut. */
struct differ_term {
	const struct window *window; /* NULL: a door */
	const struct model *of;	     /* the policy by whose clock the window opens */
	const char *door;
	bool open;
};

/*
 * One difference. It applies at each moment of its span of time at which all terms are true, and at
 * all of its places; whatever else is open at such a moment makes no difference. Several sentences
 * can be about one difference, at different times, or at the same.
 */
struct differ_line {
	enum differ_kind kind;
	/* the new policy allows more, or longer; false: less. Always true for DIFFER_TREATED. */
	bool comes;
	/* services, commands or settings, by name, with a comma between two; "" = anything */
	const char *what;
	/* a conduit that causes it, and is open at each of these moments */
	const struct model_conduit *by;
	bool by_old;	       /* `by` is a conduit of the old policy */
	uint64_t since, until; /* seconds since 1970; 0 = from now on, without end */
	const struct differ_term *terms;
	size_t n_terms;
	uint32_t number;		 /* for the order */
	const struct differ_place *list; /* where it applies; places do not overlap */
	size_t n;
};

/*
 * *ret: the differences, in the order of enum differ_kind; none: the policies have the same effect.
 * False: unknown, because memory is out or the policies are too large to be compared.
 */
bool differ(const struct model *old, const struct model *new, uint64_t now, struct arena *a, struct differ_line **ret,
	    size_t *ret_n);

#endif
