/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, routes and hosts for which the kernel answers, as rtnetlink has them in the
 * namespace of a handle.
 */
#ifndef SEKISHO_BOX_RTNL_ADDRESS_H
#define SEKISHO_BOX_RTNL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"

struct rtnl;

struct rtnl_address {
	struct addr addr;
	uint8_t prefix;
	bool link_local;
	bool unusable; /* IPv6: still tentative, or failed duplicate detection */
	/* added within the last second: the kernel may not have made its routes yet */
	bool young;
	uint32_t index; /* index of the device */
};

/* A host for which the kernel answers; for IPv6, whether it is announced as a router. */
struct rtnl_answer {
	struct addr host;
	bool router;
};

struct rtnl_route {
	struct addr to; /* family always set */
	uint8_t prefix;
	struct addr via; /* family 0 = on link */
	uint32_t oif;	 /* 0 = by gateway */
	/* as read from an existing route, so that it can be removed; 0 in a route that is to be
	 * added */
	uint8_t protocol, type;
	uint8_t tos; /* only for packets with this type of service */
	/* id of the next-hop object of the route, 0 = the route has its own gateway or device */
	uint32_t nexthop;
	uint32_t priority; /* metric; set for our own routes only where they are a fallback */
	/* preferred source address of packets by this route; family 0 = none, as in every route
	 * that was read */
	struct addr from;
	uint8_t table; /* main or local; 0 = main */
	bool foreign;  /* made by another program */
};
/* The addresses of the device, index 0 = of all devices; a malloc'd array, owned by the caller. */
int rtnl_addresses(struct rtnl *r, uint32_t index, struct rtnl_address **ret, size_t *ret_n, struct err *e);
int rtnl_address_change(struct rtnl *r, uint32_t index, const struct addr *a, uint8_t prefix, bool add, struct err *e);
enum rtnl_whose {
	ROUTES_OURS,   /* in the main table, recognised by their protocol number */
	ROUTES_SET,    /* also those of other programs, in the main and the local table */
	ROUTES_KERNELS /* only those that the kernel makes from addresses, of both tables */
};
/* malloc'd */
int rtnl_routes(struct rtnl *r, enum rtnl_whose whose, struct rtnl_route **ret, size_t *ret_n, struct err *e);
/* Adds or removes a route. A route with a protocol is added beside existing ones; one of ours
 * replaces an existing one. */
int rtnl_route_change(struct rtnl *r, const struct rtnl_route *route, bool add, struct err *e);
/* rtnl_answers: the hosts for which the kernel answers at that device, malloc'd.
 * rtnl_answer_change: adds a host, changes whether it is a router, or removes it. */
int rtnl_answers(struct rtnl *r, uint32_t index, struct rtnl_answer **ret, size_t *ret_n, struct err *e);
int rtnl_answer_change(struct rtnl *r, uint32_t index, const struct rtnl_answer *a, bool add, struct err *e);
/* The device by which a packet from `from` to `to` leaves. *own: `to` is an address of
 * this machine. */
int rtnl_way(struct rtnl *r, const struct addr *to, const struct addr *from, uint32_t *oif, bool *own);

#endif
