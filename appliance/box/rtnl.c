/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/rtnl_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "appliance/box/netns.h"

#define REQUEST_BYTES 4608u /* a route of many next hops, kept and sent again */
#define DUMP_TRIES 5

struct rtnl {
	struct mnl_socket *s;
	uint32_t seq;
	bool dry;
	rtnl_note *note; /* NULL = nobody listens */
	void *note_ctx;
	uint8_t request[REQUEST_BYTES];
	uint8_t answer[RTNL_ANSWER_BYTES];
};

struct rtnl *rtnl_open(int nsfd, int homefd, struct err *e)
{
	struct timeval limit = { .tv_sec = 2 };
	struct rtnl *r = calloc(1, sizeof(*r));
	struct err back;

	if (r == NULL) {
		err_set(e, -ENOMEM, "rtnetlink");
		return NULL;
	}
	if (netns_enter(nsfd, e) < 0) {
		free(r);
		return NULL;
	}
	r->s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (r->s == NULL)
		err_set(e, -errno, "open rtnetlink");
	if (netns_enter(homefd, &back) < 0)
		abort(); /* everything after this would touch the wrong namespace */
	if (r->s != NULL && mnl_socket_bind(r->s, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_set(e, -errno, "bind rtnetlink");
		mnl_socket_close(r->s);
		r->s = NULL;
	}
	if (r->s == NULL) {
		free(r);
		return NULL;
	}
	setsockopt(mnl_socket_get_fd(r->s), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return r;
}

void rtnl_tell(struct rtnl *r, bool dry, rtnl_note *note, void *ctx)
{
	r->dry = dry;
	r->note = note;
	r->note_ctx = ctx;
}

bool rtnl_told(const struct rtnl *r, const char *what, const char *detail)
{
	if (r->note != NULL)
		r->note(r->note_ctx, what, detail);
	return !r->dry;
}

void rtnl_close(struct rtnl *r)
{
	if (r == NULL)
		return;
	mnl_socket_close(r->s);
	free(r);
}

struct nlmsghdr *rtnl_begin(struct rtnl *r, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	memset(r->request, 0, sizeof(r->request));
	h = mnl_nlmsg_put_header(r->request);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++r->seq;
	return h;
}

/*
 * One message of an answer; *status is 0, or what the answer as a whole comes to. True when it was the last. An interrupted
 * dump goes on to its end, which must be read: what is left of it would be taken for the answer of the next question.
 */
static bool answered(const struct nlmsghdr *m, const struct nlmsghdr *request, mnl_cb_t cb, void *ctx, int *status)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(m);

	if ((m->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		*status = -EAGAIN;
	if (m->nlmsg_type == NLMSG_DONE)
		return true;
	if (m->nlmsg_type == NLMSG_ERROR) {
		if (m->nlmsg_len < mnl_nlmsg_size(sizeof(*err)))
			*status = -EBADMSG;
		else if (err->error != 0)
			*status = err->error < 0 ? err->error : -err->error;
		return true;
	}
	if (*status == 0 && cb != NULL)
		(void)cb(m, ctx);
	/* One link asked by name comes without an end mark; everything else ends by ACK or DONE. */
	return cb != NULL && (request->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)) == 0;
}

int rtnl_talk(struct rtnl *r, struct nlmsghdr *h, mnl_cb_t cb, void *ctx)
{
	unsigned portid = mnl_socket_get_portid(r->s);
	int status = 0;

	if (mnl_socket_sendto(r->s, h, h->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(r->s, r->answer, sizeof(r->answer));
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)r->answer;
		int left = (int)n;

		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			if (mnl_nlmsg_seq_ok(m, r->seq) && mnl_nlmsg_portid_ok(m, portid) &&
			    answered(m, h, cb, ctx, &status))
				return status;
	}
}

int rtnl_each(struct rtnl *r, uint16_t type, size_t header, rtnl_message *each, void (*restart)(void *ctx), void *ctx,
	      struct err *e)
{
	int status = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && status == -EAGAIN; i++) {
		struct nlmsghdr *h = rtnl_begin(r, type, NLM_F_DUMP);

		mnl_nlmsg_put_extra_header(h, header);
		restart(ctx);
		status = rtnl_talk(r, h, each, ctx);
	}
	return status < 0 ? err_set(e, status, "list of kind %u", type) : 0;
}

int rtnl_replay(struct rtnl *r, uint16_t type, uint16_t flags, const void *body, size_t n, struct err *e)
{
	struct nlmsghdr *h = rtnl_begin(r, type, (uint16_t)(NLM_F_ACK | flags));
	int status = n > REQUEST_BYTES - 64u ? -EMSGSIZE : 0;

	if (status == 0) {
		memcpy(mnl_nlmsg_put_extra_header(h, n), body, n);
		status = rtnl_talk(r, h, NULL, NULL);
	}
	return status < 0 ? err_set(e, status, "message of kind %u", type) : 0;
}

bool rtnl_attr_inside(const struct nlmsghdr *h, const struct nlattr *a)
{
	const char *tail = mnl_nlmsg_get_payload_tail(h);

	return tail >= (const char *)a && mnl_attr_ok(a, (int)(tail - (const char *)a));
}
