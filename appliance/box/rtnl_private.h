/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files rtnl*.c: one request to the kernel with its answers, and the attributes in
 * them. */
#ifndef SEKISHO_BOX_RTNL_PRIVATE_H
#define SEKISHO_BOX_RTNL_PRIVATE_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "appliance/box/rtnl.h"

#define RTNL_ANSWER_BYTES 32768u

/* Reports a change to the handle's `note`. True when the change is to be made. */
bool rtnl_told(const struct rtnl *r, const char *what, const char *detail);
/* Begins a request in the handle's own memory; only one request at a time. */
struct nlmsghdr *rtnl_begin(struct rtnl *r, uint16_t type, uint16_t flags);
/* Sends and reads all answers (kernel/talk.h). `each` NULL: none is expected. 0 or
 * negative errno. */
int rtnl_talk(struct rtnl *r, struct nlmsghdr *h, rtnl_message *each, void *ctx);
/* Sends a change. `fmt` says what failed, for *e. */
int rtnl_order(struct rtnl *r, struct nlmsghdr *h, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Reads the address in an attribute of a message of that family (AF_INET, AF_INET6). */
bool rtnl_addr(const struct nlattr *a, unsigned family, struct addr *ret);
/* Whether `a` lies wholly inside the message. Used instead of libmnl's own loop macro, which
 * implicitly converts a distance to a narrower type. */
bool rtnl_attr_inside(const struct nlmsghdr *h, const struct nlattr *a);

#define each_attr(a, h, header)                                                                                        \
	for ((a) = mnl_nlmsg_get_payload_offset((h), (header)); rtnl_attr_inside((h), (a)); (a) = mnl_attr_next(a))

#endif
