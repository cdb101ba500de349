/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be said of a network that the box stands in the middle of: its own address there, who is behind which of two sides, the way to
 * other networks. Each word of a person is judged when it is typed, by what was said before it; the compiler has the last word. Pure: asks
 * nobody, prints nothing, owns nothing.
 */
#ifndef SEKISHO_MGMT_CLI_SETUP_SIDES_H
#define SEKISHO_MGMT_CLI_SETUP_SIDES_H

#include "appliance/base/addr.h"

#define SIDES 2u
#define SIDE_NETWORKS 2u /* one of each family */
#define SIDE_HOSTS 32u	 /* addresses, spans and networks of one side; more are written by hand */

struct side_network {
	struct addr own; /* the box's */
	struct addr_range range;
	struct addr gateway; /* family 0 = none */
	size_t gateway_side; /* 0 or 1 */
};

struct sides {
	struct side_network networks[SIDE_NETWORKS];
	size_t n_networks;
	struct addr_range hosts[SIDES][SIDE_HOSTS];
	size_t n_hosts[SIDES]; /* 0 = whoever is not on the other side */
};

enum side_fault {
	SIDE_GOOD,
	SIDE_WORD,    /* no address, or not of the form that is asked for */
	SIDE_TWICE,   /* there is one of that family already */
	SIDE_NOBODY,  /* an address that no host can have there, or that is the box's own */
	SIDE_SMALL,   /* the network has no room for the box and a host on each side */
	SIDE_OUTSIDE, /* of the network */
	SIDE_TAKEN,   /* on the other side, all or a part of it */
	SIDE_MANY,    /* more than SIDE_HOSTS */
};

/* "10.30.0.2/24", the box's address and the network: added to `networks`. */
enum side_fault sides_network(struct sides *s, const char *text);
/* "10.30.0.10", "10.30.0.10-10.30.0.19" or "10.30.0.64/26": added to the hosts of `side`. */
enum side_fault sides_host(struct sides *s, size_t side, const char *text);
/* Somebody of network n is among the hosts named on the side. */
bool sides_names(const struct sides *s, size_t side, size_t n);
/* "10.30.0.1": the gateway of network n, whose side is said apart. */
enum side_fault sides_gateway(struct sides *s, size_t n, const char *text);
/* On which side the host is by what was said; SIDES = that is open. */
size_t sides_of(const struct sides *s, const struct addr *host);

#endif
