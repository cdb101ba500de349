/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the tap's sockets. Runs in the supervisor, inside the data namespace. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "appliance/tap/tap.h"

/* bytes that the kernel copies of each packet: headers with a few extensions */
#define COPY_BYTES 160u
#define BATCH_RECORDS 16u   /* the kernel sends its records when this many wait, ... */
#define BATCH_HUNDREDTHS 5u /* ... or after this many hundredths of a second */
#define RECEIVE_QUEUE (4 << 20)
#define NEIGHBOURS_QUEUE (1 << 20)

static struct nlmsghdr *config(void *buf, uint32_t seq, uint8_t family, uint16_t group)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(group);
	return h;
}

/* Sends a request and reads its acknowledgement. No other message can come before it, because the
 * socket belongs to no group yet. */
static int ask_kernel(int fd, struct nlmsghdr *h)
{
	_Alignas(struct nlmsghdr) uint8_t answer[1024];
	const struct nlmsghdr *got = (const struct nlmsghdr *)answer;

	if (send(fd, h, h->nlmsg_len, 0) < 0)
		return -errno;
	for (int tries = 0; tries < 64; tries++) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);

		if (n < 0)
			return -errno;
		if (mnl_nlmsg_ok(got, (int)n) && got->nlmsg_type == NLMSG_ERROR &&
		    mnl_nlmsg_get_payload_len(got) >= sizeof(struct nlmsgerr))
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(got))->error;
	}
	return -EPROTO;
}

static int configure(int fd)
{
	const struct nfulnl_msg_config_cmd bind_cmd = { .command = NFULNL_CFG_CMD_BIND };
	const struct nfulnl_msg_config_mode mode = { .copy_range = htonl(COPY_BYTES), .copy_mode = NFULNL_COPY_PACKET };
	uint8_t buf[512];
	struct nlmsghdr *h = config(buf, 1, AF_UNSPEC, TAP_GROUP);
	int r;

	mnl_attr_put(h, NFULA_CFG_CMD, sizeof(bind_cmd), &bind_cmd);
	r = ask_kernel(fd, h);
	if (r < 0)
		return r;
	memset(buf, 0, sizeof(buf));
	h = config(buf, 2, AF_UNSPEC, TAP_GROUP);
	mnl_attr_put(h, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(BATCH_RECORDS));
	mnl_attr_put_u32(h, NFULA_CFG_TIMEOUT, htonl(BATCH_HUNDREDTHS));
	mnl_attr_put_u16(h, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	return ask_kernel(fd, h);
}

int tap_open(struct err *e)
{
	struct timeval limit = { .tv_sec = 2 }, none = { 0 };
	int fd = tap_socket(NETLINK_NETFILTER, 0, RECEIVE_QUEUE, "open NFLOG", e), r;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	r = configure(fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	if (r < 0) {
		close(fd);
		return err_set(e, r, "NFLOG group %u", TAP_GROUP);
	}
	return fd;
}

static int ask_neighbours(int fd)
{
	const struct {
		struct nlmsghdr h;
		struct ndmsg n;
	} question = { .h = { .nlmsg_len = sizeof(question),
			      .nlmsg_type = RTM_GETNEIGH,
			      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };

	return send(fd, &question, sizeof(question), 0) < 0 ? -errno : 0;
}

int tap_neighbours_open(struct err *e)
{
	int fd = tap_socket(NETLINK_ROUTE, SOCK_NONBLOCK, NEIGHBOURS_QUEUE, "open the socket that hears of neighbours",
			    e);
	int group = RTNLGRP_NEIGH, r;

	if (fd < 0)
		return fd;
	r = setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ? -errno
											   : ask_neighbours(fd);
	if (r == 0)
		return fd;
	close(fd);
	return err_set(e, r, "hear of neighbours");
}
