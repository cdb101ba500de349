/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel keeps the neighbours of all its network namespaces in one table per family, small enough (1024) for a host of
 * one zone to fill it: some hundred packets a second to unused addresses of an allowed network, and no other zone's
 * neighbour is found any more. Only the first namespace may say how large the table is; the supervisor starts there.
 */
#ifndef SEKISHO_BOX_NEIGHBOURS_H
#define SEKISHO_BOX_NEIGHBOURS_H

#define NEIGHBOURS_SETTINGS "/proc/sys/net"

/* Makes the tables larger, never smaller. Elsewhere than in the first namespace there is nothing to set. */
void neighbours_make_room(const char *settings);

#endif
