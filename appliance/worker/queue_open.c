/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the queues of a lane. Runs in the supervisor, inside the data namespace. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/worker/queue.h"

#define RECEIVE_BYTES (64 * 1024 * 1024) /* bytes, for all slots of a lane together */
#define ANSWER_MS 1000

static struct nlmsghdr *put_config(char *buf, uint16_t queue, const struct queue_rule *rule)
{
	struct nlmsghdr *h = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);
	uint32_t flags = (rule->finished ? 0u : NFQA_CFG_F_GSO) | (rule->fail_open ? NFQA_CFG_F_FAIL_OPEN : 0u);

	h->nlmsg_flags |= NLM_F_ACK;
	nfq_nlmsg_cfg_put_cmd(h, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(h, NFQNL_COPY_PACKET, QUEUE_COPY);
	nfq_nlmsg_cfg_put_qmaxlen(h, rule->maxlen);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(flags));
	/* All flags are set, so that no earlier value remains. */
	mnl_attr_put_u32(h, NFQA_CFG_MASK,
			 htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_CONNTRACK | NFQA_CFG_F_UID_GID |
			       NFQA_CFG_F_SECCTX));
	return h;
}

/* Waits for the kernel's acknowledgement. Packets that come before it are discarded here. They wait
 * until the gate decides them; no worker reads before that. */
static int wait_ack(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static char buf[QUEUE_BUFFER];

	while (poll(&p, 1, ANSWER_MS) > 0) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		const struct nlmsghdr *h = (const void *)buf;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (mnl_nlmsg_ok(h, (int)n) && h->nlmsg_type == NLMSG_ERROR &&
		    mnl_nlmsg_get_payload_len(h) >= sizeof(struct nlmsgerr))
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
	}
	return -ETIMEDOUT;
}

static int bind_queue(int fd, uint16_t queue, const struct queue_rule *rule, struct err *e)
{
	char buf[256];
	const struct nlmsghdr *h = put_config(buf, queue, rule);
	int r = send(fd, h, h->nlmsg_len, 0) < 0 ? -errno : wait_ack(fd);

	if (r == -EPERM || r == -EBUSY)
		return err_set(e, r, "queue %u cannot be bound (another program may have it)", queue);
	return r < 0 ? err_set(e, r, "bind queue %u", queue) : 0;
}

int queue_open(uint32_t lane, uint8_t slots, const struct queue_rule *rule, struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int size = RECEIVE_BYTES, one = 1, r = 0;

	if (fd < 0)
		return err_set(e, -errno, "netlink socket of lane %u", lane);
	/* When the receive buffer is full, the kernel must drop packets, and receiving must not
	 * fail with ENOBUFS. */
	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0) {
		r = err_set(e, -errno, "options of lane %u", lane);
	}
	for (uint32_t s = 0; r == 0 && s < LANE_SLOTS; s++)
		if (((uint32_t)slots >> s & 1u) != 0)
			r = bind_queue(fd, lane_queue(lane, s), rule, e);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int queue_ready(struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER), r;
	char buf[256];
	struct nlmsghdr *h = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, 0);

	if (fd < 0)
		return err_set(e, -errno, "netlink socket for queues");
	/* Old kernels need this command. Newer ones acknowledge it without effect. */
	h->nlmsg_flags |= NLM_F_ACK;
	nfq_nlmsg_cfg_put_cmd(h, AF_INET, NFQNL_CFG_CMD_PF_UNBIND);
	r = send(fd, h, h->nlmsg_len, 0) < 0 ? -errno : wait_ack(fd);
	close(fd);
	return r < 0 ? err_set(e, r, "queues of the kernel (module nfnetlink_queue)") : 0;
}
