/* SPDX-License-Identifier: Apache-2.0 */
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
#ifndef SEKISHO_KERNEL_FINISHED_H
#define SEKISHO_KERNEL_FINISHED_H

#include "appliance/kernel/plain_table.h"

#define FINISHED_TABLE "mangle"

/* Supervisor only; works in the caller's namespace. `wanted` false: there is to be no such table.
 * As plain_table_set; -ENOENT: the kernel has no such target. */
int finished_set(bool wanted, bool dry, plain_note *note, void *ctx, struct err *e);

#endif
