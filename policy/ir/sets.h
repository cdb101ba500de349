/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets and maps of the kernel's rules, as symbols. Which of them there are depends on the
 * policy (ir_maps).
 */
#ifndef SEKISHO_POLICY_IR_SETS_H
#define SEKISHO_POLICY_IR_SETS_H

#include <stdbool.h>
#include <stdint.h>

struct ir;

/*
 * The most different ends that can apply to one packet. For them, cells are in layers. Cells that
 * hold without end are in layer 0. A permit of conduits with n different ends is in layer n, and
 * ends with the earliest of them. Below it, layer n - 1 has what the other conduits allow together.
 * So even a kernel that can only let elements expire gives the right answer at every moment: the
 * highest layer that is left decides.
 */
#define IR_LAYERS 8u

/*
 * The maps over which the ranges of layer 0 are divided when there are many, because the kernel's
 * time to fill a map grows with the square of its elements. The bytes of a range decide its part,
 * so a change of policy moves no other range.
 */
#define IR_PARTS 16u
#define IR_PARTS_FROM 4096u /* ranges of a family, from which on they are divided */
enum ir_set {
	/* map  iif . ct direction . ct mark without outcome -> mark (FAST, or permit and lane) */
	SET_LIVE,
	SET_AGREE, /* set  permit . permit of every live permit */
	/* set  permit . permit, for permits all of whose sessions must reach one worker:
	 * PROTO_COMPANIONS */
	SET_TOGETHER,
	/* set  permit . IR_LIMIT: how long sessions of the permit may last or be idle */
	SET_LIMITED,
	SET_UNTIL4, /* layer 1; layers up to IR_LAYERS follow */
	SET_EXACT4 = SET_UNTIL4 + IR_LAYERS,
	/* maps  source . destination . protocol . port . iif . oif -> mark; other parts follow */
	SET_RANGE4,
	SET_UNTIL6 = SET_RANGE4 + IR_PARTS,
	SET_EXACT6 = SET_UNTIL6 + IR_LAYERS,
	SET_RANGE6,
	SET_CELLS_END = SET_RANGE6 + IR_PARTS,
	/* set  packet mark (lane) . conntrack mark (lane): resets that the gate may send */
	SET_RESETS = SET_CELLS_END,
	SET_HOME, /* set  interface . the mark of packets that came in there */
	/* The following sets are filled by packets, to limit how fast sessions open and how many
	 * there are: see skeleton/sessions.c. */
	SET_PACE4, /* set  source . destination . lane: new sessions of a pair of hosts */
	SET_PACE6,
	SET_PACE_FEW,  /* set  iif . lane: new sessions of pairs that open few */
	SET_PACE_MANY, /* set  iif . lane: new sessions of all other pairs */
	SET_PACE_LINK, /* set  iif . packet mark: neighbour solicitations for the box itself */
	/* set  source . destination . lane . part: tracked sessions of a pair of hosts */
	SET_SHARE4,
	SET_SHARE6,
	SET_SHARE_ZONE, /* set  iif . lane . part: tracked sessions of an interface */
	/* set  id of a session that is not older than its conduit allows */
	SET_AGES,
	SET_IDLES, /* ... of a session that was not idle for longer than its conduit allows */
	/* Isolated traffic: sets  source . destination of a session's original direction; empty
	 * without isolations */
	SET_APART4,
	SET_APART6,
	/* the next contents of these sets, during a change only: see enforce/isolate.c */
	SET_APART4_NEXT,
	SET_APART6_NEXT,
	/* Traffic that continues during an isolation: sets  source . destination . permit, of a
	 * session's original direction */
	SET_KEPT4,
	SET_KEPT6,
	SET_KEPT4_NEXT,
	SET_KEPT6_NEXT,
	/* Used only while the maps of cells change: see enforce/sync.c. Empty at all other
	 * times. */
	SET_SWITCH, /* set  family: when it is a member, the bridge maps are looked up first */
	/* maps like the parts of SET_RANGE4 and the layers: the cells of the next generation */
	SET_BRIDGE4,
	SET_BRIDGE6 = SET_BRIDGE4 + IR_PARTS + IR_LAYERS,
	SET_COUNT = SET_BRIDGE6 + IR_PARTS + IR_LAYERS
};

/* Sets that decide whether a permit is live. Only enforce's transactions fill them. */
static inline bool ir_set_label(unsigned s)
{
	return s <= SET_LIMITED; /* SET_LIVE is the first */
}

/* A map of cells, of either family. */
static inline bool ir_set_cells(unsigned s)
{
	return s >= SET_UNTIL4 && s < SET_CELLS_END;
}

/* One of the parts of the ranges of layer 0. */
static inline bool ir_set_range(unsigned s)
{
	return (s >= SET_RANGE4 && s < SET_UNTIL6) || (s >= SET_RANGE6 && s < SET_CELLS_END);
}

static inline bool ir_set_bridge(unsigned s)
{
	return s >= SET_BRIDGE4 && s < SET_COUNT;
}

static inline bool ir_set_six(unsigned s)
{
	return (s >= SET_UNTIL6 && s < SET_CELLS_END) || s == SET_APART6 || s == SET_APART6_NEXT || s == SET_KEPT6 ||
	       s == SET_KEPT6_NEXT || (s >= SET_BRIDGE6 && s < SET_COUNT);
}

static inline bool ir_set_apart(unsigned s)
{
	return s >= SET_APART4 && s <= SET_APART6_NEXT;
}

static inline bool ir_set_kept(unsigned s)
{
	return s >= SET_KEPT4 && s <= SET_KEPT6_NEXT;
}

/* The bridge map of an interval map of cells, used while that map changes. SET_COUNT for any other
 * set: it needs none, because it changes at once. */
static inline unsigned ir_set_bridge_of(unsigned s)
{
	if (s >= SET_UNTIL4 && s < SET_EXACT4)
		return SET_BRIDGE4 + IR_PARTS + s - SET_UNTIL4;
	if (s >= SET_UNTIL6 && s < SET_EXACT6)
		return SET_BRIDGE6 + IR_PARTS + s - SET_UNTIL6;
	if (s >= SET_RANGE4 && s < SET_UNTIL6)
		return SET_BRIDGE4 + s - SET_RANGE4;
	return s >= SET_RANGE6 && s < SET_CELLS_END ? SET_BRIDGE6 + s - SET_RANGE6 : SET_COUNT;
}
const char *ir_set_name(enum ir_set s);
/* The maps of cells in use: the highest layer, and the number of parts of layer 0 (1 or
 * IR_PARTS). */
struct ir_maps {
	uint32_t layers, parts;
};
struct ir_maps ir_maps(const struct ir *ir);

#endif
