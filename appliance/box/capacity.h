/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tables of the kernel that all its network namespaces share, each small enough for one zone to fill it and keep everybody out:
 *
 * neighbours   one table per family (1024): some hundred packets a second to unused addresses of an allowed network, and no other
 *              zone's neighbour is found any more.
 * sessions     connection tracking measures its table by the machine's memory: with 1 GB there is room for 7,376, fewer than one
 *              interface may have in a lane (IR_PART_SESSIONS * IR_ZONE_PARTS). Made is room for eight such shares, as the kernel
 *              itself does from 4 GB on; 320 bytes for an entry that is used, 84 MB when all are.
 *
 * Only the first namespace may say how large they are; the supervisor starts there.
 */
#ifndef SEKISHO_BOX_CAPACITY_H
#define SEKISHO_BOX_CAPACITY_H

#define CAPACITY_SETTINGS "/proc/sys/net"

/*
 * Makes the tables larger, never smaller. That of sessions is there once connection tracking is in use, which rules of the base see to.
 * Elsewhere than in the first namespace there is nothing to set.
 */
void capacity_raise(const char *settings);

#endif
