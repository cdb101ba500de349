/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts about a network that the box divides into two sides: the box's own address there, the
 * hosts on each side, and the gateways to other networks. Each answer is checked when it is
 * typed, against the earlier ones; the compiler checks all of them again. Pure: asks nobody,
 * prints nothing, owns nothing.
 */
#ifndef SEKISHO_MGMT_CLI_SETUP_SIDES_H
#define SEKISHO_MGMT_CLI_SETUP_SIDES_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/addr.h"

#define SIDES 2u
#define SIDE_NETWORKS 2u /* one of each family */
#define SIDE_HOSTS 32u	 /* addresses, spans and networks of one side; more are written by hand */

struct side_network {
	struct addr own; /* the box's address */
	struct addr_range range;
	struct addr gateway; /* family 0 = none */
	size_t gateway_side; /* 0 or 1 */
};

struct sides {
	struct side_network networks[SIDE_NETWORKS];
	size_t n_networks;
	struct addr_range hosts[SIDES][SIDE_HOSTS];
	size_t n_hosts[SIDES]; /* 0 = all hosts that are not on the other side */
};

enum side_fault {
	SIDE_GOOD,
	SIDE_WORD,    /* no address, or not in the required form */
	SIDE_TWICE,   /* there is one of that family already */
	SIDE_NOBODY,  /* an address that no host can have there, or that is the box's own */
	SIDE_SMALL,   /* the network has no room for the box and a host on each side */
	SIDE_OUTSIDE, /* outside of the network */
	SIDE_TAKEN,   /* all or a part of it is on the other side */
	SIDE_MANY,    /* more than SIDE_HOSTS */
};

/* Adds a network by the box's address in it, such as "10.30.0.2/24". */
enum side_fault sides_network(struct sides *s, const char *text);
/* Adds "10.30.0.10", "10.30.0.10-10.30.0.19" or "10.30.0.64/26" to the hosts of `side`. */
enum side_fault sides_host(struct sides *s, size_t side, const char *text);
/* Whether a host of network n has been named on the side. */
bool sides_names(const struct sides *s, size_t side, size_t n);
/* Sets the gateway of network n, such as "10.30.0.1"; its side is asked separately. */
enum side_fault sides_gateway(struct sides *s, size_t n, const char *text);
/* Whether a host of that network can have the address. A network of one or two addresses has
 * neither an address of its own nor one for broadcasts: hosts can have all of them. */
bool sides_is_host(const struct addr *a, const struct addr_range *net);
/* The side of the host, from the answers so far; SIDES = not known yet. */
size_t sides_of(const struct sides *s, const struct addr *host);

#endif
