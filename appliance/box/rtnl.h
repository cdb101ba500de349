/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink as box.c needs it: links, addresses and routes of one namespace, read and changed one at a time. Supervisor
 * only. A handle stays bound to the namespace it was opened in. Kernel answers are read by libmnl's checked iterators.
 */
#ifndef SEKISHO_BOX_RTNL_H
#define SEKISHO_BOX_RTNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"

struct rtnl;

struct rtnl_link {
	uint32_t index;
	uint32_t mtu;
	uint32_t mtu_min, mtu_max; /* 0 = not said */
	bool up;
	bool mute; /* Ethernet, and asks for nobody and answers nobody (IFF_NOARP) */
};

struct rtnl_address {
	struct addr addr;
	uint8_t prefix;
	bool link_local;
	bool unusable;	/* IPv6: still tentative, or failed duplicate detection */
	bool young;	/* given within the last second: the kernel may still be at its routes */
	uint32_t index; /* of its device */
};

/* A host for whom the kernel answers; of IPv6 it says whether that is a router. */
struct rtnl_answer {
	struct addr host;
	bool router;
};

struct rtnl_route {
	struct addr to; /* family always set */
	uint8_t prefix;
	struct addr via; /* family 0 = on link */
	uint32_t oif;	 /* 0 = by gateway */
	/* Of what is there, so that it can be removed; 0 in a route of ours that is to be made. */
	uint8_t protocol, type;
	uint8_t tos;	   /* for packets of this kind of service alone */
	uint32_t nexthop;  /* the next-hop object that says its way, 0 = it says so itself */
	uint32_t priority; /* of ours it is said of a floor alone */
	struct addr
		from; /* the own address that who goes there by it speaks from; family 0 = not said, as in one that was read */
	uint8_t table; /* main or local; 0 = main */
	bool foreign;  /* made by somebody else */
};

struct rtnl *rtnl_open(int nsfd, int homefd,
		       struct err *e); /* the process is in homefd before and after; NULL on failure */
void rtnl_close(struct rtnl *r);       /* accepts NULL */
/* What a change sets right: something is "missing", "extra" or "changed". Texts are valid during the call. */
typedef void rtnl_note(void *ctx, const char *what, const char *detail);
/* From now on `note` hears of every change of links, addresses and routes before it is made; with `dry` none is made. */
void rtnl_tell(struct rtnl *r, bool dry, rtnl_note *note, void *ctx);
/* -ENODEV when there is none of that name. */
int rtnl_link_get(struct rtnl *r, const char *device, struct rtnl_link *ret, struct err *e);
int rtnl_link_set(struct rtnl *r, uint32_t index, bool up, uint32_t mtu, struct err *e); /* mtu 0 = leave */
int rtnl_link_mute(struct rtnl *r, uint32_t index, bool mute, struct err *e);
/* A pair of virtual devices of these names; -EOPNOTSUPP where the kernel has none. */
int rtnl_link_pair(struct rtnl *r, const char *device, const char *peer, uint32_t mtu, struct err *e);
/*
 * A VLAN (IEEE 802.1Q) on the link with that index, of the same namespace; `ours` writes RTNL_ALIAS on it, so that it is known whoever
 * reads it. -EOPNOTSUPP where the kernel has none, -EEXIST when there is a device of that name or the link has that VLAN already.
 */
#define RTNL_ALIAS "sekisho"
int rtnl_link_vlan(struct rtnl *r, const char *device, uint32_t on, uint16_t vlan, bool ours, struct err *e);
/* The number by which the handle's namespace knows another one; -1 = it does not. */
int32_t rtnl_nsid(struct rtnl *r, int nsfd);
int rtnl_link_delete(struct rtnl *r, uint32_t index, struct err *e);
/* `name` NULL = it keeps its own; -EEXIST when there is another of that name. */
int rtnl_link_move(struct rtnl *r, uint32_t index, int to_nsfd, const char *name, struct err *e);
int rtnl_link_mac(struct rtnl *r, uint32_t index, const uint8_t *mac, size_t n, struct err *e);
int rtnl_link_master(struct rtnl *r, uint32_t index, uint32_t master, struct err *e); /* 0 = none */
/* Of the device, 0 = of all; malloc'd array, owned by the caller. */
int rtnl_addresses(struct rtnl *r, uint32_t index, struct rtnl_address **ret, size_t *ret_n, struct err *e);
int rtnl_address_change(struct rtnl *r, uint32_t index, const struct addr *a, uint8_t prefix, bool add, struct err *e);
/*
 * Routes of the main table that carry our protocol number, malloc'd; with `foreign` also those that somebody else made, there and in the
 * local table, which is asked first (the kernel's own, of addresses, never).
 */
int rtnl_routes(struct rtnl *r, bool foreign, struct rtnl_route **ret, size_t *ret_n, struct err *e);
/* The kernel's own alone, of both tables, malloc'd. */
int rtnl_routes_of_kernel(struct rtnl *r, struct rtnl_route **ret, size_t *ret_n, struct err *e);
/* One with a protocol is added beside what is there, one of ours in its place. */
int rtnl_route_change(struct rtnl *r, const struct rtnl_route *route, bool add, struct err *e);
/* Hosts for which the kernel answers at that device, malloc'd; one more, which may be there as no router or as one, or one less. */
int rtnl_answers(struct rtnl *r, uint32_t index, struct rtnl_answer **ret, size_t *ret_n, struct err *e);
int rtnl_answer_change(struct rtnl *r, uint32_t index, const struct rtnl_answer *a, bool add, struct err *e);

/*
 * Every message of a whole, uninterrupted dump of `type`, whose body begins with a header of that many bytes. `restart` is
 * called before each try. 0 or negative errno.
 */
struct nlmsghdr;
typedef int rtnl_message(const struct nlmsghdr *m, void *ctx);
int rtnl_each(struct rtnl *r, uint16_t type, size_t header, rtnl_message *each, void (*restart)(void *ctx), void *ctx,
	      struct err *e);

/* By which device a packet leaves for `to` from `from`; *own: it is this machine's own address. */
int rtnl_way(struct rtnl *r, const struct addr *to, const struct addr *from, uint32_t *oif, bool *own);
/* Sends a message whose body (header of its kind and attributes) was read before. */
int rtnl_replay(struct rtnl *r, uint16_t type, uint16_t flags, const void *body, size_t n, struct err *e);

/*
 * A socket that hears of links in the namespace nsfd, with `facts` of addresses and routes too; non-blocking, owned by the
 * caller, negative errno on failure. rtnl_monitor reads what is there and tells the name of each link that came or changed;
 * `lost` when the kernel could not tell all of them. True when anything was heard. `each` may be NULL.
 */
int rtnl_monitor_open(int nsfd, int homefd, bool facts, struct err *e);
/* The same of rules (nf_tables) in that namespace: for rtnl_monitor without `each`. */
int rtnl_rules_open(int nsfd, int homefd, struct err *e);
bool rtnl_monitor(int fd, void (*each)(void *ctx, const char *device), void *ctx, bool *lost);

#endif
