/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks in which the box itself has addresses, and which hosts can be there.
 */
#ifndef SEKISHO_POLICY_CHECK_NETWORK_H
#define SEKISHO_POLICY_CHECK_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/check/model.h"
#include "policy/check/model_box.h"
#include "policy/check/say.h"
#include "policy/read/ast.h"

struct addr;
struct addr_range;
struct check;

/* To be called after the zones: checks whether the entries of box.cfg fit each other and
 * the zones. */
void check_network(struct check *k);
/* Reads the `addresses` of an interface, or of a network between interfaces, into `i`. */
void interface_addresses(struct check *k, const struct ast_node *list, struct object o, struct model_interface *i);
/* The network that the n-th address of an interface lies in. */
void interface_network(const struct model_interface *f, size_t n, struct addr_range *ret);
/* Whether the address is in a network of the interface. */
bool in_network(const struct model_interface *f, const struct addr *a);
/* The interface through which the route's gateway is reached, or NULL. */
const struct model_interface *gateway_side(const struct model_box *b, const struct model_route *r);
/* Whether a host can have this address. A link-local address counts, too. */
bool is_host(const struct addr *a);
/* Whether the address is IPv6 link-local (fe80::/10), which means nothing without an interface. */
bool is_of_a_link(const struct addr *a);
/*
 * Whether no other host can have this address: it is the box's own, or the first or last one of a
 * network. `only`: the interface by which it would be reached; NULL: any.
 */
bool is_nobody(const struct model_box *b, const struct addr *a, const struct model_interface *only);

#endif
