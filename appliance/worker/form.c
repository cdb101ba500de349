/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/form.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/wire/form_place.h"
#include "appliance/wire/mark.h"

/* How often a send is tried when the kernel is short of memory for a moment. */
#define TRIES 3

/*
 * Offsets in a verdict with a mark, as nfq_nlmsg_verdict_put and _put_mark write it: netlink header
 * (16 bytes), nfnetlink header (4), attribute header (4), verdict (4), id (4), attribute header
 * (4), mark (4).
 */
#define AT_ID 28u
#define AT_MARK 36u
#define LENGTH 40u
#define LENGTH_DROP 32u

/* The forms of a queue: one to accept 1 to FORM_MOST packets, one to drop a packet, and two to
 * accept or drop all packets up to an id. */
enum form_head { HEAD_ACCEPT_1 = 0, HEAD_DROP = FORM_MOST, HEAD_UPTO_ACCEPT, HEAD_UPTO_DROP, HEAD_ROOM = 32 };

#define BLANKS_ACCEPT 4u /* parts of a verdict with a mark: fixed, id, fixed, mark */
#define BLANKS_DROP 2u

struct form_parts {
	struct iovec accept[FORM_MOST * BLANKS_ACCEPT];
	struct iovec drop[BLANKS_DROP], upto_accept[BLANKS_ACCEPT], upto_drop[BLANKS_DROP];
	/* the messages: accept, drop, accept all up to an id, drop all up to an id */
	uint8_t text[4][LENGTH];
};

#define FORM_LANES 27u /* command lanes */
#define FIRST_LANE 28u
#define FORM_QUEUES (FORM_LANES * LANE_SLOTS)
#define PARTS_ROOM (FORM_QUEUES * sizeof(struct form_parts))
_Static_assert(sizeof(struct msghdr) <= FORM_STEP && FORM_QUEUES * HEAD_ROOM * FORM_STEP <= FORM_ROOM,
	       "room for all heads");

/* The parts of a form that the worker fills in, in network byte order. The first byte of `mark` is
 * not sent. */
static struct blank {
	uint32_t id;
	uint32_t mark;
} blanks[FORM_MOST];

/* NOLINTBEGIN(performance-no-int-to-ptr): the place is fixed */
static struct msghdr *head_at(uint64_t base, uint32_t queue, uint32_t head)
{
	return (void *)(uintptr_t)(base + (queue * (uint64_t)HEAD_ROOM + head) * FORM_STEP);
}

static struct form_parts *parts_at(uint64_t base, uint32_t queue)
{
	return (void *)(uintptr_t)(base + FORM_ROOM + queue * sizeof(struct form_parts));
}
/* NOLINTEND(performance-no-int-to-ptr) */

static void print_text(uint8_t text[LENGTH], uint16_t queue, int type, uint32_t verdict)
{
	struct nlmsghdr *h = nfq_nlmsg_put((char *)text, type, queue);

	nfq_nlmsg_verdict_put(h, 0, (int)verdict);
	if (verdict == NF_ACCEPT)
		nfq_nlmsg_verdict_put_mark(h, mark_make(0, queue_lane(queue), MARK_UNJUDGED));
}

static void print_parts(struct iovec *v, uint8_t *text, struct blank *b, bool accept)
{
	v[0] = (struct iovec){ text, AT_ID };
	v[1] = (struct iovec){ &b->id, sizeof(b->id) };
	if (!accept)
		return;
	v[2] = (struct iovec){ text + LENGTH_DROP, AT_MARK - LENGTH_DROP + 1u };
	v[3] = (struct iovec){ (uint8_t *)&b->mark + 1, sizeof(b->mark) - 1u };
}

/* Writes the forms of the n-th queue to `base`. Their message headers have the addresses at which
 * the forms are mapped later. */
static void print_queue(uint64_t base, uint32_t n)
{
	uint16_t queue = lane_queue(FIRST_LANE + n / LANE_SLOTS, n % LANE_SLOTS);
	struct form_parts *p = parts_at(base, n), *at = parts_at(FORM_PLACE, n);

	print_text(p->text[0], queue, NFQNL_MSG_VERDICT, NF_ACCEPT);
	print_text(p->text[1], queue, NFQNL_MSG_VERDICT, NF_DROP);
	print_text(p->text[2], queue, NFQNL_MSG_VERDICT_BATCH, NF_ACCEPT);
	print_text(p->text[3], queue, NFQNL_MSG_VERDICT_BATCH, NF_DROP);
	for (uint32_t i = 0; i < FORM_MOST; i++) {
		print_parts(&p->accept[i * BLANKS_ACCEPT], at->text[0], &blanks[i], true);
		*head_at(base, n, HEAD_ACCEPT_1 + i) =
			(struct msghdr){ .msg_iov = at->accept, .msg_iovlen = (i + 1) * (size_t)BLANKS_ACCEPT };
	}
	print_parts(p->drop, at->text[1], blanks, false);
	*head_at(base, n, HEAD_DROP) = (struct msghdr){ .msg_iov = at->drop, .msg_iovlen = BLANKS_DROP };
	print_parts(p->upto_accept, at->text[2], blanks, true);
	*head_at(base, n, HEAD_UPTO_ACCEPT) =
		(struct msghdr){ .msg_iov = at->upto_accept, .msg_iovlen = BLANKS_ACCEPT };
	print_parts(p->upto_drop, at->text[3], blanks, false);
	*head_at(base, n, HEAD_UPTO_DROP) = (struct msghdr){ .msg_iov = at->upto_drop, .msg_iovlen = BLANKS_DROP };
}

/*
 * Maps the sealed forms read-only. Linux before 6.7 (except later releases of 6.1) refuses a shared
 * mapping, because it could become writable. A private mapping is as good here: the sandbox forbids
 * the calls that would make it writable.
 */
static bool map_sealed(void *place, size_t size, int fd)
{
	if (mmap(place, size, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) == place)
		return true;
	return errno == EPERM && mmap(place, size, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0) == place;
}

int forms_make(struct err *e)
{
	const size_t size = FORM_ROOM + PARTS_ROOM;
	int fd = memfd_create("forms", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *place = (void *)(uintptr_t)FORM_PLACE; /* NOLINT(performance-no-int-to-ptr) */
	void *room = MAP_FAILED;
	int r = 0;

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
		room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (room == MAP_FAILED)
		return err_set(e, -errno, "room for forms of verdicts");
	for (uint32_t n = 0; n < FORM_QUEUES; n++)
		print_queue((uint64_t)(uintptr_t)room, n);
	/* From here on there is no writable mapping, and none can be made, so not even this process
	 * can change a form. */
	munmap(room, size);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0 ||
	    !map_sealed(place, size, fd))
		r = err_set(e, -errno, "place for forms of verdicts");
	close(fd);
	return r;
}

int forms_none(struct err *e)
{
	void *place = (void *)(uintptr_t)FORM_PLACE; /* NOLINT(performance-no-int-to-ptr) */

	if (mmap(place, FORM_ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
		 0) != place)
		return err_set(e, -errno, "place for forms of verdicts");
	return 0;
}

static enum mark_outcome outcome_of(enum outcome o)
{
	return o == OUTCOME_CONFIRMED ? MARK_CONFIRMED : o == OUTCOME_QUIET ? MARK_QUIET : MARK_GOOD;
}

static void fill_blank(struct blank *b, const struct form_entry *e)
{
	b->id = htonl(e->id);
	b->mark = htonl(mark_make(e->permit, 0, outcome_of(e->outcome)));
}

static int send_verdict(int fd, uint16_t queue, uint32_t head)
{
	uint32_t lane = queue_lane(queue);
	ssize_t n = -1;

	if (lane < FIRST_LANE || lane >= FIRST_LANE + FORM_LANES)
		return -ENOENT;
	for (int i = 0; i < TRIES; i++) {
		n = sendmsg(fd, head_at(FORM_PLACE, (lane - FIRST_LANE) * LANE_SLOTS + queue_slot(queue), head), 0);
		if (n >= 0 || (errno != EINTR && errno != ENOBUFS && errno != ENOMEM && errno != EAGAIN))
			break;
	}
	return n >= 0 ? 0 : -errno;
}

int form_accept(int fd, uint16_t queue, const struct form_entry *e, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		fill_blank(&blanks[i], &e[i]);
	return send_verdict(fd, queue, HEAD_ACCEPT_1 + n - 1);
}

int form_drop(int fd, uint16_t queue, uint32_t id)
{
	blanks[0].id = htonl(id);
	return send_verdict(fd, queue, HEAD_DROP);
}

int form_upto(int fd, uint16_t queue, const struct form_entry *e)
{
	fill_blank(&blanks[0], e);
	return send_verdict(fd, queue, e->outcome == OUTCOME_DROP ? HEAD_UPTO_DROP : HEAD_UPTO_ACCEPT);
}
