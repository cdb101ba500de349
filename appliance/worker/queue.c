/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "appliance/wire/mark.h"

#define BATCH_MAX 256u

struct queue_reader {
	unsigned batch;
	unsigned n;
	uint8_t *memory;
	struct mmsghdr *heads;
	struct iovec *iov;
};

struct queue_reader *queue_reader_new(unsigned batch)
{
	struct queue_reader *r = calloc(1, sizeof(*r));

	if (r == NULL || batch == 0 || batch > BATCH_MAX) {
		free(r);
		return NULL;
	}
	r->batch = batch;
	r->memory = malloc((size_t)batch * QUEUE_BUFFER);
	r->heads = calloc(batch, sizeof(*r->heads));
	r->iov = calloc(batch, sizeof(*r->iov));
	if (r->memory == NULL || r->heads == NULL || r->iov == NULL) {
		queue_reader_free(r);
		return NULL;
	}
	for (unsigned i = 0; i < batch; i++) {
		r->iov[i] = (struct iovec){ .iov_base = r->memory + (size_t)i * QUEUE_BUFFER, .iov_len = QUEUE_BUFFER };
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
	return bytes_of(r->iov[i].iov_base, len < QUEUE_BUFFER ? len : QUEUE_BUFFER);
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
