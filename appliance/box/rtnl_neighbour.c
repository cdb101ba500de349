/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts for which the kernel answers at a device that they are not behind (ARP, neighbour discovery): listed, one changed. */
#include "appliance/box/rtnl_private.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct hosts {
	struct rtnl_answer *list;
	size_t n, room;
	uint32_t index;
	bool failed;
};

static int on_neighbour(const struct nlmsghdr *h, void *ctx)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	struct hosts *x = ctx;

	if (h->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(h) < sizeof(*nd) ||
	    (nd->ndm_flags & NTF_PROXY) == 0 || (uint32_t)nd->ndm_ifindex != x->index ||
	    (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6))
		return MNL_CB_OK;
	each_attr(a, h, sizeof(*nd))
	{
		uint8_t family = nd->ndm_family == AF_INET ? 4 : 6;

		if (mnl_attr_get_type(a) != NDA_DST || mnl_attr_get_payload_len(a) != addr_len(family))
			continue;
		if (x->n == x->room) {
			size_t room = x->room == 0 ? 64 : x->room * 2;
			struct rtnl_answer *p = reallocarray(x->list, room, sizeof(*p));

			if (p == NULL) {
				x->failed = true;
				return MNL_CB_OK;
			}
			x->list = p;
			x->room = room;
		}
		x->list[x->n] = (struct rtnl_answer){ { .family = family }, (nd->ndm_flags & NTF_ROUTER) != 0 };
		memcpy(x->list[x->n++].host.b, mnl_attr_get_payload(a), addr_len(family));
	}
	return MNL_CB_OK;
}

int rtnl_answers(struct rtnl *r, uint32_t index, struct rtnl_answer **ret, size_t *ret_n, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, RTM_GETNEIGH, NLM_F_DUMP);
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));
	struct hosts x = { .index = index };
	int status;

	nd->ndm_flags = NTF_PROXY; /* these alone, and not who is a neighbour */
	status = rtnl_talk(r, h, on_neighbour, &x);
	if (status == 0 && x.failed)
		status = -ENOMEM;
	if (status < 0) {
		free(x.list);
		return err_set(e, status, "list for whom it answers");
	}
	*ret = x.list;
	*ret_n = x.n;
	return 0;
}

int rtnl_answer_change(struct rtnl *r, uint32_t index, const struct rtnl_answer *a, bool add, struct err *e)
{
	struct nlmsghdr *h =
		rtnl_begin(r, add ? RTM_NEWNEIGH : RTM_DELNEIGH, (uint16_t)(NLM_F_ACK | (add ? NLM_F_CREATE : 0)));
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));
	char text[ADDR_TEXT], whole[ADDR_TEXT + 32];
	int status;

	addr_text(&a->host, text);
	snprintf(whole, sizeof(whole), "answer for %s%s", text, a->router ? " (router)" : "");
	if (!rtnl_told(r, add ? "missing" : "extra", whole))
		return 0;
	nd->ndm_family = a->host.family == 4 ? AF_INET : AF_INET6;
	nd->ndm_ifindex = (int)index;
	nd->ndm_flags = (uint8_t)(NTF_PROXY | (a->router ? NTF_ROUTER : 0));
	nd->ndm_state = NUD_PERMANENT;
	mnl_attr_put(h, NDA_DST, addr_len(a->host.family), a->host.b);
	status = rtnl_talk(r, h, NULL, NULL);
	return status < 0 ? err_set(e, status, "%s %s", add ? "add" : "remove", whole) : 0;
}
