/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink as box.c needs it, for links (with their state and counters, and which link is above
 * which), addresses and routes of one namespace. Reads one object or all of a kind, and changes one
 * at a time. Supervisor only. A handle stays bound to the namespace it was opened in. Requests and
 * answers are those of kernel/talk.h; messages are read by libmnl's checked iterators.
 */
#ifndef SEKISHO_BOX_RTNL_H
#define SEKISHO_BOX_RTNL_H

#include <linux/if_link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"

struct rtnl;

/* devices of one namespace, more than a policy can name. Further ones are not read; `more` is
 * then set */
#define DEVICES_MAX 600u

struct device {
	uint32_t index, mtu;
	uint32_t mtu_min, mtu_max; /* 0 = not said */
	/* index of the device of which it is a port (bridge, bond, team, VRF), 0 = none */
	uint32_t master;
	/* index of the device below it (VLAN, macvlan); 0 = none, or in another namespace */
	uint32_t parent;
	char name[16];
	char kind[16];		/* "veth", "bridge"; "" = hardware */
	char above[16];		/* kind of its master */
	uint8_t mac[32], n_mac; /* its present hardware address */
	uint8_t own[32], n_own; /* its permanent hardware address; n_own 0 = none */
	bool elsewhere;		/* the device below it, or its other end, is in another namespace */
	uint32_t under;		/* index of the device below it in any namespace; 0 = none */
	/* if `elsewhere`: the id that the other namespace has within this namespace */
	int32_t under_nsid;
	uint16_t vlan; /* kind "vlan": the VLAN id */
	/* kind "vlan": 802.1Q, without optional functions such as GVRP */
	bool vlan_plain;
	bool ours; /* this program made it: RTNL_ALIAS */
	bool up, carrier, loopback, xdp;
	bool mute;	  /* Ethernet without ARP (IFF_NOARP) */
	uint32_t changes; /* how often its link went up or down since the device exists */
	struct rtnl_link_stats64 counted;
};

struct devices {
	struct device list[DEVICES_MAX];
	size_t n;
	bool more;
};

/* before and after the call the process is in homefd; NULL on failure */
struct rtnl *rtnl_open(int nsfd, int homefd, struct err *e);
void rtnl_close(struct rtnl *r); /* accepts NULL */
/* Called for a difference: an object is "missing", "extra" or "changed". Texts are valid during
 * the call. */
typedef void rtnl_note(void *ctx, const char *what, const char *detail);
/* From now on `note` is called before every change of links, addresses and routes. With `dry` no
 * change is made. */
void rtnl_tell(struct rtnl *r, bool dry, rtnl_note *note, void *ctx);
/* -ENODEV when there is none of that name. */
int rtnl_link_get(struct rtnl *r, const char *device, struct device *ret, struct err *e);
/* All links of the namespace. */
int devices_read(struct rtnl *r, struct devices *ret, struct err *e);
/* Whether `d` is a VLAN on the device with that index. nsid -1: the device is in the same
 * namespace; otherwise in the namespace with that id. */
bool device_lies_on(const struct device *d, uint32_t index, int32_t nsid);
const struct device *devices_find(const struct devices *d, const char *name); /* NULL = not there */
const struct device *devices_at(const struct devices *d, uint32_t index);
/*
 * A device on that link because of which the link cannot be moved: the device would remain in its
 * namespace and go on using the link. Plain VLANs do not count: they are deleted, and
 * loan_give_back creates them again. NULL = there is none.
 */
const struct device *devices_stays(const struct devices *d, uint32_t index);
/* Whether the device is one end of a pair. */
bool device_is_pair(const struct device *d);
/* mtu 0 = leave it as it is */
int rtnl_link_set(struct rtnl *r, uint32_t index, bool up, uint32_t mtu, struct err *e);
int rtnl_link_mute(struct rtnl *r, uint32_t index, bool mute, struct err *e);
/* Creates a pair of virtual devices of these names; -EOPNOTSUPP if the kernel does not
 * support them. */
int rtnl_link_pair(struct rtnl *r, const char *device, const char *peer, uint32_t mtu, struct err *e);
/*
 * Creates a VLAN (IEEE 802.1Q) on the link with that index in the same namespace. `ours`: sets
 * RTNL_ALIAS, so that the device can be recognised later. -EOPNOTSUPP if the kernel does not
 * support VLANs; -EEXIST when there is a device of that name, or the link has that VLAN already.
 */
#define RTNL_ALIAS "sekisho"
int rtnl_link_vlan(struct rtnl *r, const char *device, uint32_t on, uint16_t vlan, bool ours, struct err *e);
/* The id of another namespace within the handle's namespace; -1 = it has none. */
int32_t rtnl_nsid(struct rtnl *r, int nsfd);
int rtnl_link_delete(struct rtnl *r, uint32_t index, struct err *e);
/* `name` NULL = the device keeps its name. -EEXIST when there is another device of that name. */
int rtnl_link_move(struct rtnl *r, uint32_t index, int to_nsfd, const char *name, struct err *e);
int rtnl_link_mac(struct rtnl *r, uint32_t index, const uint8_t *mac, size_t n, struct err *e);
int rtnl_link_master(struct rtnl *r, uint32_t index, uint32_t master, struct err *e); /* 0 = none */

/*
 * Calls `each` for every message of a dump of `type`. The body of the request begins with `header`
 * of n bytes (NULL: zeros). An interrupted dump is tried again; `restart` is called before each
 * attempt. 0 or negative errno.
 */
struct nlmsghdr;
typedef int rtnl_message(const struct nlmsghdr *m, void *ctx);
int rtnl_each(struct rtnl *r, uint16_t type, const void *header, size_t n, rtnl_message *each,
	      void (*restart)(void *ctx), void *ctx, struct err *e);

/* Sends a message whose body (type-specific header and attributes) was read before. */
int rtnl_replay(struct rtnl *r, uint16_t type, uint16_t flags, const void *body, size_t n, struct err *e);

/*
 * Opens a socket that receives changes of links in the namespace nsfd, with `facts` also of
 * addresses and routes. It is non-blocking and owned by the caller; negative errno on failure.
 * rtnl_monitor reads all waiting changes, and calls `each` (may be NULL) with the name of each new
 * or changed link; `lost`: the kernel had to drop messages. Returns true when there was any change.
 */
int rtnl_monitor_open(int nsfd, int homefd, bool facts, struct err *e);
/* As rtnl_monitor_open, for changes of nf_tables rules. To be used with rtnl_monitor without
 * `each`. */
int rtnl_rules_open(int nsfd, int homefd, struct err *e);
bool rtnl_monitor(int fd, void (*each)(void *ctx, const char *device), void *ctx, bool *lost);

#endif
