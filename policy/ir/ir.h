/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule IR: the compiled policy as plain data.
 *
 * A generation holds: box facts, zones, conduits (for names and lines), permits, cells, the command
 * table in permit *index* order, the source texts, and a SHA-256 over all of it. Permit ids belong
 * to the box and are not part of it: where the kernel or a worker needs ids, a map (u32 per permit
 * index) comes with the generation. The same policy gives the same bytes everywhere.
 *
 * Readers: the supervisor (devices, workers), enforce (netlink batch, read-back), control, the
 * journal (names), replay, the renderers, evaluate_ir, and policy_raise for questions.
 */
#ifndef SEKISHO_POLICY_IR_IR_H
#define SEKISHO_POLICY_IR_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/arena.h"
#include "appliance/base/bytes.h"
#include "appliance/base/diag.h"
#include "appliance/base/err.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/duty.h"
#include "appliance/wire/hours.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/vocabulary.h"

/* The structures of a generation: objects.def has a row for each member, with its meaning and all
 * that is made of it. */
/* clang-format off */
#define OBJECT(tag) struct tag {
#define END(tag) };
#define TEXT(tag, member, ...) const char *member;
#define SOURCE_TEXT(tag, member, n, ...) const char *member; uint32_t n;
#define FLAG(tag, member, ...) bool member;
#define CHOICE(tag, type, member, ...) type member;
#define NUMBER(tag, type, member, ...) type member;
#define TIME(tag, member, ...) uint64_t member;
#define INDEX(tag, member, ...) uint32_t member;
#define INDEX_OR_NONE(tag, member, ...) uint32_t member;
#define INDEXES(tag, member, ...) uint32_t *member, n_##member;
#define ADDRESS_OR_NONE(tag, member, ...) struct addr member;
#define RANGE(tag, member, ...) struct addr_range member;
#define RANGES(tag, member, ...) struct addr_range *member; uint32_t n_##member;
#define HOSTS(tag, member, lengths, ...) struct addr *member; uint8_t *lengths; uint32_t n_##member;
#define TRANSPORT(tag, member, ...) uint8_t member;
#define PORTS(tag, least, most, ...) uint16_t least, most;
#define LANE(tag, member, ...) uint32_t member;
#define PROTOCOLS(tag, member, ...) struct protocol_set member;
#define DIGEST(tag, member, ...) uint8_t member[32];
#define LIST(tag, member, key, since, element) struct element *member; uint32_t n_##member;
#define BESIDE(declaration) declaration
/* clang-format on */
#include "policy/ir/objects.def"

/* The card that an interface needs. The box takes cards, and not VLANs, from the machine's network
 * namespace, and gives them back. */
static inline const char *ir_card(const struct ir_interface *i)
{
	return i->vlan != 0 ? i->card : i->device;
}

/* Whether an address is an IPv6 next hop of the box's routes. Hosts treat a next hop as a router
 * only while every neighbour advertisement for it has the router flag (RFC 4861, 7.2.5). So the box
 * sets the flag when it answers for a next hop. */
static inline bool ir_is_router(const struct ir *ir, const struct addr *a)
{
	for (uint32_t i = 0; a->family == 6 && i < ir->n_routes; i++)
		if (addr_cmp(&ir->routes[i].via, a) == 0)
			return true;
	return false;
}

/* Whether the cell is one pair of hosts at one port. In layer 0, exact cells are looked up before
 * ranges. */
static inline bool ir_cell_exact(const struct ir_cell *c)
{
	return c->layer == 0 && c->lo == c->hi && addr_cmp(&c->src.lo, &c->src.hi) == 0 &&
	       addr_cmp(&c->dst.lo, &c->dst.hi) == 0;
}

/* The end of every permit with hours in a sealed generation. It is long ago, so that a reader that
 * does not compute the real ends (moment.h) treats these permits as shut. */
#define IR_SHUT 1u
/* 2200-01-01: the end of a permit with hours that is open and has no end */
#define IR_NO_END 7258118400u

/* Whether one worker has to see all sessions of the permit: its protocol has companions and is
 * inspected. */
bool ir_together(const struct ir_permit *p);
/* Inspected lanes in use. LANE_CUT always exists and is not among them. */
static inline uint64_t ir_lanes(const struct ir *ir)
{
	uint64_t lanes = 0;

	for (uint32_t i = 0; i < ir->n_permits; i++)
		if (ir->permits[i].lane != LANE_NONE)
			lanes |= (uint64_t)1 << ir->permits[i].lane;
	return lanes;
}

/* Whether box.cfg names sources of time. */
static inline bool ir_time_sources(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_TIME)
			return true;
	return false;
}

/* The workers' image for this id map (sorted by permit id). malloc'd, owned by the caller; NULL
 * when memory is out. */
uint8_t *ir_table_image(const struct ir *ir, const uint32_t *ids, size_t *ret_n);

#endif
