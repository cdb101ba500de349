/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/wire/mark.h"

#define COPY_RANGE 0xffffu
/* bytes for the largest payload with headers and attributes. An odd number of cache lines, so that
 * the buffers begin in different cache sets. */
#define BUFFER (COPY_RANGE + 1u + 2112u)
#define BATCH_MAX 256u
#define RECEIVE_BYTES (64 * 1024 * 1024) /* bytes, for all slots of a lane together */
#define ANSWER_MS 1000

struct queue_reader {
	unsigned batch;
	unsigned n;
	uint8_t *memory;
	struct mmsghdr *heads;
	struct iovec *iov;
};

/* ---- opening --------------------------------------------------------------------------------- */

static struct nlmsghdr *put_config(char *buf, uint16_t queue, const struct queue_rule *rule)
{
	struct nlmsghdr *h = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, queue);
	uint32_t flags = (rule->finished ? 0u : NFQA_CFG_F_GSO) | (rule->fail_open ? NFQA_CFG_F_FAIL_OPEN : 0u);

	h->nlmsg_flags |= NLM_F_ACK;
	nfq_nlmsg_cfg_put_cmd(h, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(h, NFQNL_COPY_PACKET, COPY_RANGE);
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
	static char buf[BUFFER];

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

/* ---- receiving ------------------------------------------------------------------------------- */

struct queue_reader *queue_reader_new(unsigned batch)
{
	struct queue_reader *r = calloc(1, sizeof(*r));

	if (r == NULL || batch == 0 || batch > BATCH_MAX) {
		free(r);
		return NULL;
	}
	r->batch = batch;
	r->memory = malloc((size_t)batch * BUFFER);
	r->heads = calloc(batch, sizeof(*r->heads));
	r->iov = calloc(batch, sizeof(*r->iov));
	if (r->memory == NULL || r->heads == NULL || r->iov == NULL) {
		queue_reader_free(r);
		return NULL;
	}
	for (unsigned i = 0; i < batch; i++) {
		r->iov[i] = (struct iovec){ .iov_base = r->memory + (size_t)i * BUFFER, .iov_len = BUFFER };
		r->heads[i].msg_hdr = (struct msghdr){ .msg_iov = &r->iov[i], .msg_iovlen = 1 };
	}
	return r;
}

void queue_reader_free(struct queue_reader *r)
{
	if (r == NULL)
		return;
	free(r->memory);
	free(r->heads);
	free(r->iov);
	free(r);
}

int queue_receive(struct queue_reader *r, int fd, unsigned most)
{
	int n = recvmmsg(fd, r->heads, most < r->batch ? most : r->batch, MSG_DONTWAIT, NULL);

	r->n = n > 0 ? (unsigned)n : 0;
	return n >= 0 ? n : -errno;
}

struct bytes queue_datagram(const struct queue_reader *r, unsigned i)
{
	size_t len;

	if (i >= r->n)
		return bytes_of(NULL, 0);
	len = r->heads[i].msg_len;
	return bytes_of(r->iov[i].iov_base, len < BUFFER ? len : BUFFER);
}

/* Netlink messages are aligned to 4 bytes; the last one may lack its padding. */
static void skip_padding(struct bytes *b, size_t len)
{
	size_t pad = (4u - len % 4u) % 4u;

	bytes_skip(b, pad < b->left ? pad : b->left);
}

/* Room for attributes by type: more than this header's types, because the library that writes them
 * may be newer. */
#define TYPES 64

/* An attribute's contents; empty when it is missing or would reach beyond its message. */
static struct bytes attribute_bytes(const struct nlattr *a, const uint8_t *end)
{
	const uint8_t *p = a != NULL ? mnl_attr_get_payload(a) : NULL;
	size_t len = p != NULL && p <= end ? mnl_attr_get_payload_len(a) : 0;

	return len <= (size_t)(end - p) && len > 0 ? bytes_of(p, len) : bytes_of(NULL, 0);
}

static uint32_t attribute_number(const struct nlattr *a, const uint8_t *end)
{
	struct bytes b = attribute_bytes(a, end);
	uint32_t v;

	return bytes_be32(&b, &v) ? v : 0;
}

/* Parses the packet message `m`, which ends at `end`. False when it has no packet id. */
static bool packet_parse(const uint8_t *m, const uint8_t *end, struct packet *ret)
{
	struct nlattr *a[TYPES] = { NULL };
	struct nfqnl_msg_packet_hdr head;
	struct bytes b;
	int parsed = nfq_nlmsg_parse((const void *)m, a);

	b = attribute_bytes(a[NFQA_PACKET_HDR], end);
	if (!bytes_copy(&b, &head, sizeof(head)))
		return false;
	ret->id = ntohl(head.packet_id);
	ret->mark = attribute_number(a[NFQA_MARK], end);
	ret->directed = ret->mark != MARK_STRAY;
	/* If the id is known, the packet is always reported, even if the rest is invalid, because
	 * it must be decided. */
	if (parsed < 0)
		return true;
	ret->ip = attribute_bytes(a[NFQA_PAYLOAD], end);
	ret->truncated = attribute_number(a[NFQA_CAP_LEN], end) > ret->ip.left;
	if ((attribute_number(a[NFQA_SKB_INFO], end) & (NFQA_SKB_CSUMNOTREADY | NFQA_SKB_GSO)) != 0)
		ret->checksums = CHECKSUM_UNREADY;
	return true;
}

enum queue_item queue_next(struct bytes *datagram, struct packet *ret)
{
	const uint8_t *message = datagram->p;
	struct nlmsghdr h;
	struct nfgenmsg g;
	struct bytes body;

	*ret = (struct packet){ 0 };
	if (datagram->failed || datagram->left == 0)
		return QUEUE_END;
	if (!bytes_copy(datagram, &h, sizeof(h)) || h.nlmsg_len < sizeof(h) ||
	    !bytes_take(datagram, h.nlmsg_len - sizeof(h), &body)) {
		datagram->failed = true; /* after a wrong length nothing more can be found */
		return QUEUE_OTHER;
	}
	skip_padding(datagram, h.nlmsg_len);
	if (h.nlmsg_type == NLMSG_ERROR)
		return QUEUE_ERROR;
	if (h.nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET) || !bytes_copy(&body, &g, sizeof(g)))
		return QUEUE_OTHER;
	ret->queue = ntohs(g.res_id);
	if (packet_parse(message, message + h.nlmsg_len, ret))
		return QUEUE_PACKET;
	*ret = (struct packet){ 0 };
	return QUEUE_OTHER;
}
