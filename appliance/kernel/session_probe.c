/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/session_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_BYTES 256u
#define ANSWER_BYTES 4096u

int session_probe_open(struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int r;

	if (fd < 0)
		return err_set(e, -errno, "netlink socket for sessions");
	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0) {
		r = err_set(e, -errno, "netlink socket for sessions");
		close(fd);
		return r;
	}
	return fd;
}

static struct nlmsghdr *question(void *buf, const struct addr *a, uint16_t a_port, const struct addr *b,
				 uint16_t b_port)
{
	bool six = a->family == 6;
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	struct nlattr *tuple, *part;

	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	h->nlmsg_flags = NLM_F_REQUEST;
	g->nfgen_family = six ? AF_INET6 : AF_INET;
	g->version = NFNETLINK_V0;
	tuple = mnl_attr_nest_start(h, CTA_TUPLE_ORIG);
	part = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	mnl_attr_put(h, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, addr_len(a->family), a->b);
	mnl_attr_put(h, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, addr_len(b->family), b->b);
	mnl_attr_nest_end(h, part);
	part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons(a_port));
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons(b_port));
	mnl_attr_nest_end(h, part);
	mnl_attr_nest_end(h, tuple);
	return h;
}

/* Reads the answer. The kernel has answered when the request is sent, so a session or an error is
 * there. */
static int answer(int fd)
{
	_Alignas(8) uint8_t buf[ANSWER_BYTES];
	const struct nlmsghdr *h = (const void *)buf;
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct mmsghdr one = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int n = recvmmsg(fd, &one, 1, MSG_DONTWAIT, NULL), code;

	if (n < 1)
		return n < 0 ? -errno : -EIO;
	if (!mnl_nlmsg_ok(h, (int)one.msg_len))
		return -EBADMSG;
	if (h->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
		return 1;
	if (h->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(h) < sizeof(struct nlmsgerr))
		return -EBADMSG;
	code = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
	return code == -ENOENT ? 0 : code < 0 ? code : -EBADMSG;
}

int session_probe(int fd, const struct addr *a, uint16_t a_port, const struct addr *b, uint16_t b_port)
{
	_Alignas(8) uint8_t buf[REQUEST_BYTES];
	const struct nlmsghdr *h;
	ssize_t n;

	if (a->family != b->family || addr_len(a->family) == 0)
		return -EAFNOSUPPORT;
	h = question(buf, a, a_port, b, b_port);
	do {
		n = send(fd, h, h->nlmsg_len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : answer(fd);
}
