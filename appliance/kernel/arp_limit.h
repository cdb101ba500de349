/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits the rate of ARP requests on each interface, in a table of its own ("arp sekisho"). The
 * kernel stores the sender of each request in one neighbour table for all interfaces and
 * namespaces, so a flood with invented senders would displace the hosts of every other zone.
 * Answers are not limited: they add nobody to that table. Supervisor only.
 *
 * Before the limit, requests are also logged to the tap, up to a rate. So the tap learns of hosts
 * that only ask for other hosts of their network, and are never in the kernel's table.
 */
#ifndef SEKISHO_KERNEL_ARP_LIMIT_H
#define SEKISHO_KERNEL_ARP_LIMIT_H

#include "appliance/kernel/plain_table.h"

/* requests a second, as for IPv6. A full table gives up no entry of the last five seconds. In that
 * time one interface can fill about 5,000 of the 65,536 places (box/sysctl.c) */
#define ARP_PER_SECOND 1000u

#define ARP_TOLD_PER_SECOND 100u /* requests of an interface that are logged to the tap */

/*
 * As plain_table_set, in the caller's namespace, for devices of these names, whether or not they
 * exist; with n = 0 there is no such table afterwards. Requests on any other device are dropped: it
 * does not belong to the box.
 */
int arp_limit_set(const char *const *devices, size_t n, bool dry, plain_note *note, void *ctx, struct err *e);

#endif
