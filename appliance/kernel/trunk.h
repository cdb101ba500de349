/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate of cards that carry VLANs: a table of its own ("netdev sekisho") with one chain for each
 * such card. It runs before the kernel assigns a frame to a VLAN's device. Frames with exactly one
 * tag pass, if box.cfg has that VLAN on that card. All others are dropped and counted: frames
 * without a tag, with only a priority tag, with two tags, with a provider tag, and of other VLANs.
 * Without the gate, the kernel would remove a priority tag and use the tag behind it. Supervisor
 * only.
 */
#ifndef SEKISHO_KERNEL_TRUNK_H
#define SEKISHO_KERNEL_TRUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/kernel/plain_table.h"

/* One VLAN of a card. The VLANs of one card are adjacent in the list. */
struct trunk_vlan {
	const char *card; /* borrowed */
	uint16_t vlan;
};

/*
 * Changes the gate of the caller's namespace to `list` in one transaction; with n = 0 there is no
 * gate afterwards. Unchanged parts stay, with their counters. `note` (or NULL) is called before a
 * change; with `dry` nothing is changed. 0 or negative errno: -ENODEV when a card does not exist.
 */
int trunk_gate_set(const struct trunk_vlan *list, size_t n, bool dry, plain_note *note, void *ctx, struct err *e);
/* How many frames the gate has refused at a card of the caller's namespace; 0 when there is
 * no gate. */
uint64_t trunk_gate_refused(const char *card);

#endif
