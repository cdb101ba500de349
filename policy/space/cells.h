/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells: the union of all conduits as disjoint boxes of packet space, each with the set of
 * (conduit, service) pairs that apply all over it.
 *
 * Compile stage between the checked model and the rule IR. Cells of one layer are disjoint. The one
 * exception is an exact pair of hosts over a range of layer 0 (CELLS_OVER): it is looked up before
 * the range and does not split it. Layer 0 is what holds without end. A piece of space on which
 * conduits with n different ends meet has a cell in each of the layers n to 1: the highest with all
 * of them, until the earliest ends; the next with those that remain then; and so on down to layer
 * 0. Higher layers are looked up first. Where only shadow conduits apply there is no cell, because
 * they allow nothing.
 *
 * Where conduits open by hours or start one day, there is a cell for each set of conduits that are
 * open together at some moment (together.c). These cells are in layers, too: a larger set is looked
 * up before a smaller one. Which of these cells hold depends on the moment (ir/moment.h).
 *
 * Pure; what is returned lives in the arena given, scratch memory is given back before the return.
 */
#ifndef SEKISHO_POLICY_SPACE_CELLS_H
#define SEKISHO_POLICY_SPACE_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/diag.h"
#include "appliance/wire/hours.h"
#include "policy/check/model.h"
#include "policy/space/intern.h"

#define CELLS_MAX 262144u /* of one policy; a kernel map of this size still loads in seconds */
/* boxes before cutting, at most: conduits times their addresses, services and interfaces */
#define BOXES_MAX 524288u

/* One service of one conduit. Pairs are numbered in the order of conduits, then of the services in
 * the conduit. */
struct cell_pair {
	uint32_t conduit;		     /* index into the model's conduits */
	const struct model_service *service; /* the model's */
};

struct cell {
	uint32_t iif, oif; /* indexes into the model's interfaces */
	uint8_t layer;	   /* 0: it always holds */
	uint8_t l4proto;   /* 1 and 58 for ICMP */
	uint16_t lo, hi;   /* destination ports, or ICMP type << 8 | code */
	struct addr_range src, dst;
	uint32_t set; /* index into cells.sets */
};

struct cells {
	struct cell_pair *pairs;
	size_t n_pairs;
	struct interned *sets; /* sorted pair numbers; numbered in the order of the cells */
	size_t n_sets;
	/* sorted by layer, interfaces, family, protocol, source, destination, ports */
	struct cell *list;
	size_t n;
};

/* Whether an exact pair of hosts at one port cuts the range around it (CELLS_APART), or lies over
 * the range, as in the kernel's maps (CELLS_OVER). */
enum cells_form { CELLS_APART, CELLS_OVER };

/* False after an error in `d`: the policy is too large, or memory is out. */
bool cells_make(const struct model *m, enum cells_form form, struct arena *a, struct diags *d, struct cells *ret);

/*
 * The error for a policy that is too large, with the numbers of its text. It names the conduits
 * that take the most, and not the place where the limit was reached, which depends on the order of
 * the text. cost[i]: the cost of conduit i; NULL: no memory, and nothing is reported.
 * Returns false.
 */
bool costs_report(struct diags *d, const char *code, const struct model *m, const uint64_t *cost, enum message text,
		  unsigned have, unsigned most, unsigned limit);

/*
 * Finds which of several rights hold together at some moment, and in which order the kernel looks
 * them up. A right is what a conduit allows at its times.
 *
 * Between two moments at which something opens or shuts, a policy is constant. Rights with hours
 * hold together only in some sets. The module finds these sets by going through the moments of
 * opening and shutting around every named day, and in one ordinary week, which stands for all other
 * weeks. A door may open or shut at any moment, so each set is also taken without the rights behind
 * one or more of its doors. Each set gets a layer. A set that holds more is looked up before a set
 * that holds less, and two sets that can hold at the same moment never share a layer. Pure; what is
 * returned lives in the arena given.
 */

#define TOGETHER_MAX 32u  /* rights */
#define TOGETHER_SETS 64u /* largest number of sets */

struct together {
	uint32_t *sets;	 /* one bit for each right of the set; no set is empty */
	uint8_t *layers; /* from 1 */
	size_t n;
	bool too_many; /* more sets or layers than there is room for */
};

/* The list has only rights with hours, a start or an end: all others always hold. False when memory
 * is out. */
bool together_make(const struct times *list, size_t n, const struct time_zone *z, unsigned layers, struct arena *a,
		   struct together *ret);

#endif
