/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate of cards that carry VLANs: a table of its own ("netdev sekisho") with one chain on each such card, before the kernel takes a
 * frame's tag for a device. It lets by what has one tag of a VLAN that box.cfg names there, and drops and counts all else: frames without
 * a tag or with a priority tag alone, with two tags, with a provider's, and of other VLANs. Without it the kernel would take off a
 * priority tag and go on with the tag behind it. Supervisor only.
 */
#ifndef SEKISHO_KERNEL_TRUNK_H
#define SEKISHO_KERNEL_TRUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/kernel/plain_table.h"

/* One VLAN of a card; those of one card stand together. */
struct trunk_vlan {
	const char *card; /* borrowed */
	uint16_t vlan;
};

/*
 * Makes the gate of the caller's namespace what `list` says, in one transaction; with n = 0 there is none afterwards. What is so
 * already stays, with its counters. `note` (or NULL) hears of a difference first; with `dry` nothing is changed. 0 or negative errno:
 * -ENODEV when a card is not there.
 */
int trunk_gate_set(const struct trunk_vlan *list, size_t n, bool dry, plain_note *note, void *ctx, struct err *e);
/* How many frames it has refused at a card of the caller's namespace; 0 when it has none there. */
uint64_t trunk_gate_refused(const char *card);

#endif
