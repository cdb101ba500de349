/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our small tables beside the policy's, each for one purpose: the gate of the VLANs, the limit of
 * ARP, the writer of checksums, the rules for cards that the machine still has, and the rules of
 * the admin namespace (kernel/admin_rules.c). Supervisor only; each function works in the caller's
 * namespace. The parameters `dry`, `note` and `ctx`, and the results, are those of plain_table_set.
 */
#ifndef SEKISHO_KERNEL_SMALL_TABLES_H
#define SEKISHO_KERNEL_SMALL_TABLES_H

#include "appliance/kernel/plain_table.h"
#include "policy/ir/ir.h"

/* ---- the gate of the VLANs ------------------------------------------------------------------- */

/*
 * The gate of cards that carry VLANs: a table of its own ("netdev sekisho") with one chain for each
 * such card. It runs before the kernel assigns a frame to a VLAN's device. Frames with exactly one
 * tag pass, if box.cfg has that VLAN on that card. All others are dropped and counted: frames
 * without a tag, with only a priority tag, with two tags, with a provider tag, and of other VLANs.
 * Without the gate, the kernel would remove a priority tag and use the tag behind it.
 */

/* One VLAN of a card. The VLANs of one card are adjacent in the list. */
struct trunk_vlan {
	const char *card; /* borrowed */
	uint16_t vlan;
};

/* With n = 0 the gate is removed. -ENODEV when a card does not exist. */
int trunk_gate_set(const struct trunk_vlan *list, size_t n, bool dry, plain_note *note, void *ctx, struct err *e);
/* How many frames the gate has refused at a card; 0 when there is no gate. */
uint64_t trunk_gate_refused(const char *card);

/* ---- the limit of ARP ------------------------------------------------------------------------ */

/*
 * Limits the rate of ARP requests on each interface, in a table of its own ("arp sekisho"). The
 * kernel stores the sender of each request in one neighbour table for all interfaces and
 * namespaces, so a flood with invented senders would displace the hosts of every other zone.
 * Answers are not limited, because the kernel stores nobody for an answer.
 *
 * Before the limit, requests are also logged to the tap, up to a rate. So the tap learns of hosts
 * that only ask for other hosts of their network, and are never in the kernel's table.
 */

/* requests a second, as for IPv6. When the neighbour table is full, the kernel removes no entry of
 * the last five seconds; in that time one interface can fill about 5,000 of its 65,536 places
 * (box/sysctl.c) */
#define ARP_PER_SECOND 1000u

#define ARP_TOLD_PER_SECOND 100u /* requests of an interface that are logged to the tap */

/* Sets the limit for devices of these names, whether or not they exist. With n = 0 the table is
 * removed. Requests on any other device are dropped, because it does not belong to the box. */
int arp_limit_set(const char *const *devices, size_t n, bool dry, plain_note *note, void *ctx, struct err *e);

/* ---- the writer of checksums ----------------------------------------------------------------- */

/*
 * Finishes packets before the verdict cache reads them. The sender of an offloaded frame chooses
 * the place of its checksum, and on a virtual interface (veth, virtio, tap) that may be the middle
 * of a command: the bytes that leave then differ from those that were read. So a table of its own,
 * before the forward chain, makes the kernel write the checksum, and sets the bit ONCE_FINISHED in
 * the packet's priority. Without this table no packet has the bit, and the cache passes none.
 * Frames of several segments stay unfinished; the cache refuses them. Real network cards deliver
 * finished packets, for which this costs a few comparisons.
 *
 * xtables allows its target CHECKSUM only in tables of this name.
 */
#define FINISHED_TABLE "mangle"

/* `wanted` false: removes the table. -ENOENT: the kernel has no target CHECKSUM. */
int finished_set(bool wanted, bool dry, struct err *e);

/* ---- cards that the machine still has -------------------------------------------------------- */

/*
 * Keeps the machine from forwarding over cards of the box while they are in its first namespace:
 * before they are taken, at each start of the machine, and while they go back. Two tables in that
 * namespace ("inet sekisho", "bridge sekisho"), with one chain each, drop and count packets that
 * would be routed or bridged from or to such a card. They accept all others, for other rules to
 * judge. Traffic of the machine itself over such a card is not touched: an administrator may be
 * connected by it.
 *
 * Sets both tables for these cards, which need not exist; with n = 0 it removes both. If one fails,
 * the other is tried all the same.
 */
int home_rules_set(const char *const *cards, size_t n, struct err *e);

/* ---- the rules of the admin namespace -------------------------------------------------------- */

/*
 * What may leave and enter the admin namespace: a table of its own there ("inet sekisho"). Its
 * output chain accepts answers to hosts that asked the box (if box.cfg names terminals, only to
 * these), packets that stay on the box, neighbour discovery, and packets to the peers of box.cfg;
 * it drops and counts everything else. Its input chain accepts answers to what the box asked. At
 * the management's port it accepts the terminals of box.cfg or, if box.cfg names none, everybody on
 * the admin networks. Packets are judged one by one, as they are after the rules of other programs
 * have changed them. Nothing is forwarded between interfaces.
 */

/* `closed`: nobody is admitted, not even terminals. */
int admin_rules_set(const struct ir_peer *list, size_t n, bool closed, bool dry, plain_note *note, void *ctx,
		    struct err *e);
/* If there is no such table, makes one without peers that admits nobody, for the time before a
 * policy is known. */
int admin_rules_base(struct err *e);

struct admin_rules_seen {
	bool there;   /* the table exists */
	bool anybody; /* everybody is admitted: no terminal is named */
	/* packets refused on the way out and in since the last change of the rules */
	uint64_t refused, refused_in;
};

/* Called for each rule. If a rule belongs to no peer of the list, `peer` is NULL, and `text` says
 * what the rule is. */
typedef void admin_rules_each(void *ctx, const struct ir_peer *peer, const char *text, uint64_t packets,
			      uint64_t bytes);
/* Reads the table from the kernel. */
int admin_rules_read(const struct ir_peer *list, size_t n, admin_rules_each *each, void *ctx,
		     struct admin_rules_seen *ret, struct err *e);

#endif
