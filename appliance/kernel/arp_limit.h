/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often hosts of one interface are heard when they ask for the box over ARP: a table of its own ("arp sekisho"). The kernel remembers each
 * host in whose name it is asked, in one table for all interfaces and namespaces; who asks in invented names without end would push out the
 * hosts of every other zone. Answers are not counted: they make the kernel remember nobody new. Supervisor only.
 *
 * Before that the tap is told of them, so often and not more: who asks for another host of the same network never gets into the kernel's table, and is a device beside
 * the box all the same.
 */
#ifndef SEKISHO_KERNEL_ARP_LIMIT_H
#define SEKISHO_KERNEL_ARP_LIMIT_H

#include "appliance/kernel/plain_table.h"

#define ARP_PER_SECOND                                                                                                 \
	1000u /* as over IPv6: the table has room for 65 interfaces' worth of what it keeps for five seconds */

#define ARP_TOLD_PER_SECOND 100u /* of an interface */

/*
 * As plain_table_set, in the caller's namespace, for devices of these names, there or not; with n = 0 there is no such table afterwards. Who asks
 * on another device is not heard at all: it is none of the box.
 */
int arp_limit_set(const char *const *devices, size_t n, bool dry, plain_note *note, void *ctx, struct err *e);

#endif
