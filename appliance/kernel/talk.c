/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"

#define RECEIVE_QUEUE (8 << 20) /* bytes: room for the acknowledgements of a whole failed batch */
#define ANSWER_NS 2000000000ull

/* If the former user of the socket has left a dump unfinished, reads the rest of it, because
 * otherwise the kernel would refuse the next dump. */
static void read_away(struct netlink *n)
{
	while (recv(n->fd, n->buffer, NETLINK_RECEIVE, MSG_DONTWAIT | MSG_TRUNC) >= 0 || errno == ENOBUFS ||
	       errno == EINTR)
		;
}

int netlink_open(struct netlink *n, int fd, struct err *e)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(self);
	int on = 1, queue = RECEIVE_QUEUE;

	memset(n, 0, sizeof(*n));
	n->fd = fd;
	if (getsockname(fd, (struct sockaddr *)&self, &len) < 0)
		return err_set(e, -errno, "name of the netlink socket");
	if (self.nl_pid == 0) {
		if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0 ||
		    getsockname(fd, (struct sockaddr *)&self, &len) < 0)
			return err_set(e, -errno, "bind the netlink socket");
	}
	n->portid = self.nl_pid;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)) < 0)
		return err_set(e, -errno, "receive queue of the netlink socket");
	/* Old kernels lack these options, so their answers are longer, or their errors less
	 * exact. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	n->buffer = malloc(NETLINK_RECEIVE);
	if (n->buffer == NULL)
		return err_set(e, -ENOMEM, "receive buffer");
	n->seq = (uint32_t)(clock_mono().ns >> 10);
	read_away(n);
	return 0;
}

void netlink_close(struct netlink *n)
{
	free(n->buffer);
	n->buffer = NULL;
}

int netlink_open_here(struct netlink *n, struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), r;

	if (fd < 0)
		return err_set(e, -errno, "netlink socket");
	r = netlink_open(n, fd, e);
	if (r < 0)
		netlink_close_here(n);
	return r;
}

void netlink_close_here(struct netlink *n)
{
	netlink_close(n);
	close(n->fd);
	n->fd = -1;
}

struct nlmsghdr *netlink_request(struct netlink *n, void *buf, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++n->seq;
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = 0;
	return h;
}

static int send_all(const struct netlink *n, const struct nlmsghdr *h)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t r;

	do
		r = sendto(n->fd, h, h->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Waits for input until `deadline`. 0 or negative errno. */
static int wait_input(int fd, uint64_t deadline_ns)
{
	for (;;) {
		uint64_t now = clock_mono().ns;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r;

		if (now >= deadline_ns)
			return -ETIMEDOUT;
		r = poll(&p, 1, (int)((deadline_ns - now) / 1000000 + 1));
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

/*
 * Handles one message of an answer. *result keeps the first error. True: it was the last message.
 * If `each` refuses a message, or the dump is inconsistent (which its last message also says), the
 * dump is read to its end all the same.
 */
static bool answer_message(const struct nlmsghdr *m, bool dump, netlink_each *each, void *ctx, int *result)
{
	bool last = m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR;
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(m);
	int r = 0;

	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		r = -EINTR;
	else if (m->nlmsg_type == NLMSG_OVERRUN)
		r = -ENOBUFS;
	else if (m->nlmsg_type == NLMSG_DONE)
		r = m->nlmsg_len < mnl_nlmsg_size(sizeof(int)) ? 0 : *(const int *)mnl_nlmsg_get_payload(m);
	else if (m->nlmsg_type == NLMSG_ERROR)
		r = m->nlmsg_len < mnl_nlmsg_size(sizeof(*err)) ? -EBADMSG : err->error;
	else if (*result == 0)
		r = each(m, ctx);
	if (r < 0 && *result == 0)
		*result = r;
	return last || (!dump && m->nlmsg_type >= NLMSG_MIN_TYPE);
}

/* Describes a refused request. If the module of a subsystem is missing, the kernel says no more
 * than "invalid argument", so that is explained. */
static int request_refused(const struct nlmsghdr *request, int code, struct err *e)
{
	static const char *const module_of[] = { [NFNL_SUBSYS_CTNETLINK] = "nf_conntrack_netlink",
						 [NFNL_SUBSYS_QUEUE] = "nfnetlink_queue",
						 [NFNL_SUBSYS_ULOG] = "nfnetlink_log",
						 [NFNL_SUBSYS_NFTABLES] = "nf_tables" };
	unsigned subsystem = NFNL_SUBSYS_ID(request->nlmsg_type);
	const char *module = subsystem < sizeof(module_of) / sizeof(module_of[0]) ? module_of[subsystem] : NULL;

	if (code == -EINVAL && module != NULL)
		return err_set(e, code, "netlink request 0x%x (is the module %s there?)", request->nlmsg_type, module);
	return err_set(e, code, "netlink request 0x%x", request->nlmsg_type);
}

int netlink_ask(struct netlink *n, const struct nlmsghdr *request, netlink_each *each, void *ctx, struct err *e)
{
	uint64_t deadline = clock_mono().ns + ANSWER_NS;
	bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int result = 0, r = 0;

	if (dump && n->stopped != NULL && n->stopped(n->between_ctx))
		return err_set(e, -ECANCELED, "stopped");
	r = send_all(n, request);
	if (r < 0)
		return err_set(e, r, "netlink request 0x%x", request->nlmsg_type);
	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t got = recvfrom(n->fd, n->buffer, NETLINK_RECEIVE, MSG_DONTWAIT | MSG_TRUNC,
				       (struct sockaddr *)&from, &from_len);
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)n->buffer;
		int left;

		if (got < 0 && errno == EINTR)
			continue;
		/* Some messages were lost. The dump is read on, because the socket takes no other
		 * request before the dump ends. */
		if (got < 0 && errno == ENOBUFS && dump) {
			result = result < 0 ? result : -ENOBUFS;
			continue;
		}
		if (got < 0 && errno == EAGAIN) {
			r = wait_input(n->fd, deadline);
			if (r < 0)
				return err_set(e, r, "answer to netlink request 0x%x", request->nlmsg_type);
			continue;
		}
		if (got < 0)
			return err_set(e, -errno, "answer to netlink request 0x%x", request->nlmsg_type);
		if ((size_t)got > NETLINK_RECEIVE)
			return err_set(e, -EMSGSIZE, "answer to netlink request 0x%x", request->nlmsg_type);
		for (left = (int)got; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			if (from.nl_pid != 0 || m->nlmsg_seq != request->nlmsg_seq)
				continue;
			if (answer_message(m, dump, each, ctx, &result))
				return result < 0 ? request_refused(request, result, e) : 0;
		}
		if (n->between != NULL)
			n->between(n->between_ctx);
		/* The rest of the dump is read and ignored, so that the socket can be used
		 * again. */
		if (dump && result == 0 && n->stopped != NULL && n->stopped(n->between_ctx))
			result = -ECANCELED;
		deadline = clock_mono().ns + ANSWER_NS;
	}
}

int netlink_list(struct netlink *n, uint16_t type, uint8_t family, const char *table, const char *set,
		 netlink_each *each, void *ctx, struct err *e)
{
	_Alignas(8) uint8_t buf[4096];
	struct nlmsghdr *h = netlink_request(n, buf, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, family);

	n->reading.part++;
	/* The attributes of table and set have the same numbers in all these messages. */
	if (table != NULL)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
	if (set != NULL)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
	return netlink_ask(n, h, each, ctx, e);
}

static int on_generation_attribute(const struct nlattr *a, void *ctx)
{
	uint32_t *ret = ctx;

	if (mnl_attr_get_type(a) == NFTA_GEN_ID && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
		*ret = ntohl(mnl_attr_get_u32(a));
	return MNL_CB_OK;
}

static int on_generation(const struct nlmsghdr *m, void *ctx)
{
	return mnl_attr_parse(m, sizeof(struct nfgenmsg), on_generation_attribute, ctx) < 0 ? -EBADMSG : 0;
}

int netlink_generation(struct netlink *n, uint32_t *ret, struct err *e)
{
	_Alignas(8) uint8_t buf[4096];
	struct nlmsghdr *h = netlink_request(n, buf, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, AF_UNSPEC);

	*ret = 0;
	return netlink_ask(n, h, on_generation, ret, e);
}

const char *netlink_family(uint32_t family)
{
	static const char *const words[] = {
		[NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip",	      [NFPROTO_IPV6] = "ip6",
		[NFPROTO_ARP] = "arp",	 [NFPROTO_BRIDGE] = "bridge", [NFPROTO_NETDEV] = "netdev"
	};

	return family < sizeof(words) / sizeof(words[0]) && words[family] != NULL ? words[family] : "unknown";
}
