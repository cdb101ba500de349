/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What box.cfg says, as a checked model has it: interface roles, networks that the box divides,
 * and routes.
 */
#ifndef SEKISHO_POLICY_CHECK_MODEL_BOX_H
#define SEKISHO_POLICY_CHECK_MODEL_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/diag.h"
#include "policy/ir/ir.h"

/* An interface role of box.cfg: "lan0" is what policies say, "enp3s0" is what the kernel has. */
struct model_interface {
	const char *name;
	const char *label; /* "" when absent; NULL for an object that no text declares */
	/* the device with the addresses: the card, or its VLAN ("enp3s0.10") */
	const char *device;
	const char *card;	 /* the card of a VLAN; "" = `device` is the card */
	uint32_t vlan;		 /* 0 = frames without a tag */
	bool admin;		 /* belongs to the admin namespace, in no zone */
	uint32_t mtu;		 /* 0 = the device keeps its own */
	struct addr *addresses;	 /* of the box on this interface */
	uint8_t *prefix_lengths; /* one per address */
	size_t n_addresses;
	const struct model_between *between; /* the network of which it is a side, or NULL */
	/* hosts on other sides of that network, for which the box answers on this interface;
	 * sorted, disjoint */
	struct addr_range *answers;
	size_t n_answers;
	struct srcpos at;
};

/* One network whose hosts are behind several interfaces of the box. The hosts keep their
 * addresses. */
struct model_between {
	/* Only its addresses are used: the box's own addresses, the same on every side, and their
	 * networks. */
	struct model_interface shared;
	struct model_interface **sides;
	size_t n_sides;
	struct srcpos at;
};

struct model_route {
	struct addr_range to; /* always one prefix */
	/* family 0: the hosts themselves are behind the interface */
	struct addr via;
	const struct model_interface *interface; /* NULL = by address */
	struct srcpos at;
};

struct model_box {
	struct model_interface *interfaces;
	size_t n_interfaces;
	struct model_route *routes;
	size_t n_routes;
	struct model_between *betweens;
	size_t n_betweens;
	struct ir_peer *peers;
	size_t n_peers;
	uint32_t workers; /* pairs of worker and gate of each kind, 1..WORKER_MAX; 0 = not said */
	/* pairs of naming and of commands; they take precedence over `workers` */
	uint32_t naming_workers, command_workers;
};

#endif
