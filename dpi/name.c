/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/name.h"

#include <ndpi_api.h>
#include <ndpi_main.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

/*
 * The library's allocator is a pair of function pointers without a context, so the region belongs
 * to the process, not to a namer. Blocks have few sizes; a freed block is kept in the list of its
 * size. When memory is out, the result is NULL, and the library stops looking.
 */
struct block;

#define STEP 16u
#define SMALL_SIZES 16u		  /* multiples of STEP up to 256 bytes, then powers of two */
#define SIZES (SMALL_SIZES + 13u) /* up to 2 MB */

struct heap {
	uint8_t *base;
	size_t top; /* bytes handed out of the region so far */
	struct block *free[SIZES];
};

static struct heap heap;
/* One module looks for names with recognisers of ours, the other one for all names, because
 * detectors of a module can only be added. */
static struct ndpi_detection_module_struct *modules[2];
static unsigned users;
static enum protocol protocol_of_id[NDPI_LAST_IMPLEMENTED_PROTOCOL + 1];
static uint16_t id_of_protocol[PROTO_MAX];

/* Every block starts with its size class. In a free block, the next block of its list follows,
 * where the user's bytes were. */
struct block {
	uint64_t size;
	struct block *next;
};

#define BLOCK_HEAD offsetof(struct block, next)

static unsigned size_class(size_t n, size_t *ret_bytes)
{
	unsigned c = SMALL_SIZES;

	if (n <= STEP * SMALL_SIZES) {
		*ret_bytes = (n + STEP - 1) / STEP * STEP;
		return (unsigned)(*ret_bytes / STEP) - 1;
	}
	for (*ret_bytes = 2u * STEP * SMALL_SIZES; *ret_bytes < n; *ret_bytes *= 2)
		c++;
	return c;
}

static void *heap_take(size_t n)
{
	unsigned c;
	size_t bytes;
	struct block *b;

	if (n > NAME_HEAP / 4)
		return NULL;
	c = size_class(n + BLOCK_HEAD, &bytes);
	if (c >= SIZES)
		return NULL;
	b = heap.free[c];
	if (b != NULL) {
		heap.free[c] = b->next;
	} else {
		if (heap.base == NULL || bytes > NAME_HEAP - heap.top)
			return NULL;
		b = (struct block *)(void *)(heap.base + heap.top);
		heap.top += bytes;
	}
	b->size = c;
	return &b->next;
}

static void heap_give(void *p)
{
	struct block *b;

	if (p == NULL)
		return;
	b = (struct block *)(void *)((uint8_t *)p - BLOCK_HEAD);
	b->next = heap.free[b->size];
	heap.free[b->size] = b;
}

/* Maps the protocols of policies to the numbers of the linked library. */
static void find_names(struct ndpi_detection_module_struct *module)
{
	for (unsigned p = 1; p < protocols_end(); p++) {
		const char *name = protocol_info((enum protocol)p)->ndpi_name;

		for (uint16_t id = 1; name != NULL && id < NDPI_LAST_IMPLEMENTED_PROTOCOL; id++) {
			if (strcasecmp(ndpi_get_proto_name(module, id), name) != 0)
				continue;
			protocol_of_id[id] = (enum protocol)p;
			id_of_protocol[p] = id;
			break;
		}
	}
}

/*
 * Chooses the detectors of a module. Without `all`, these are the detectors of names that our
 * recognisers know as well, because any other result could only be wrong. With `all`, for policies
 * that ask for a name that only the library knows, these are all detectors, because many names are
 * found by the detector of another name.
 */
static void choose_protocols(struct ndpi_detection_module_struct *module, bool all)
{
	NDPI_PROTOCOL_BITMASK wanted;

	NDPI_BITMASK_RESET(wanted);
	for (uint32_t id = 1; id < NDPI_LAST_IMPLEMENTED_PROTOCOL; id++)
		if (all || (protocol_of_id[id] != PROTO_NONE && protocol_info(protocol_of_id[id])->depth != DEPTH_NDPI))
			wanted.fds_bits[id / NDPI_BITS] |= (ndpi_ndpi_mask)1 << id % NDPI_BITS;
	ndpi_set_protocol_detection_bitmask2(module, &wanted);
}

static bool module_open(void)
{
	void *m;

	if (users > 0)
		return true;
	m = mmap(NULL, NAME_HEAP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m == MAP_FAILED)
		return false;
	heap = (struct heap){ .base = m };
	set_ndpi_malloc(heap_take);
	set_ndpi_free(heap_give);
	set_ndpi_flow_malloc(heap_take);
	set_ndpi_flow_free(heap_give);
	for (unsigned all = 0; all < 2; all++) {
		modules[all] = ndpi_init_detection_module(ndpi_dont_load_tor_hosts | ndpi_dont_init_libgcrypt);
		if (modules[all] == NULL) {
			munmap(m, NAME_HEAP);
			return false;
		}
		ndpi_set_detection_preferences(modules[all], ndpi_pref_direction_detect_disable, 1);
		find_names(modules[all]);
		choose_protocols(modules[all], all == 1);
		ndpi_finalize_initialization(modules[all]);
	}
	return true;
}

struct namer {
	bool all;
	uint8_t *states; /* owned; `slots` times `stride` bytes, touched as used */
	size_t stride;
	uint32_t *free; /* owned; stack of free slots */
	uint32_t n_free;
	uint32_t slots, fresh;
};

struct namer *namer_new(uint32_t slots)
{
	struct namer *n = calloc(1, sizeof(*n));

	if (n == NULL || slots == 0)
		goto fail;
	n->stride = (sizeof(struct ndpi_flow_struct) + 63u) & ~(size_t)63u;
	n->states = calloc(slots, n->stride);
	n->free = calloc(slots, sizeof(*n->free));
	n->slots = slots;
	/* A library with a larger flow structure than in the header would write past its slot. */
	if (n->states == NULL || n->free == NULL ||
	    ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(struct ndpi_flow_struct) || !module_open())
		goto fail;
	users++;
	return n;
fail:
	if (n != NULL) {
		free(n->states);
		free(n->free);
	}
	free(n);
	return NULL;
}

static struct ndpi_flow_struct *state_at(struct namer *n, uint32_t slot)
{
	return (struct ndpi_flow_struct *)(void *)(n->states + slot * n->stride);
}

void namer_free(struct namer *n)
{
	if (n == NULL)
		return;
	free(n->states);
	free(n->free);
	free(n);
	if (--users > 0)
		return;
	/* Everything that the library still holds lies in the region. */
	munmap(heap.base, NAME_HEAP);
	heap = (struct heap){ 0 };
	modules[0] = modules[1] = NULL;
}

void name_look_for_all(struct namer *n, bool all)
{
	n->all = all;
}

uint32_t name_open(struct namer *n)
{
	uint32_t slot;

	if (n->n_free > 0)
		slot = n->free[--n->n_free];
	else if (n->fresh < n->slots)
		slot = n->fresh++;
	else
		return NAME_SLOT_NONE;
	memset(state_at(n, slot), 0, sizeof(struct ndpi_flow_struct));
	/* The library does not get the handshake. With a count of 0, it would give up on a first
	 * packet that is not a SYN. */
	state_at(n, slot)->num_processed_pkts = 1;
	return slot;
}

void name_close(struct namer *n, uint32_t slot)
{
	if (slot >= n->fresh)
		return;
	ndpi_free_flow_data(state_at(n, slot));
	n->free[n->n_free++] = slot;
}

static enum protocol protocol_of(uint16_t id)
{
	return id < sizeof(protocol_of_id) / sizeof(protocol_of_id[0]) ? protocol_of_id[id] : PROTO_NONE;
}

struct name_answer name_packet(struct namer *n, uint32_t slot, enum direction dir, struct bytes ip, uint64_t now_ms)
{
	struct name_answer ret = { .named = false };
	struct ndpi_flow_struct *flow;
	ndpi_protocol p;

	if (slot >= n->fresh || ip.failed || ip.left > UINT16_MAX)
		return ret;
	flow = state_at(n, slot);
	flow->packet_direction = dir == DIR_S2C;
	p = ndpi_detection_process_packet(modules[n->all], flow, ip.p, (unsigned short)ip.left, now_ms);
	if (flow->confidence != NDPI_CONFIDENCE_DPI ||
	    (p.app_protocol == NDPI_PROTOCOL_UNKNOWN && p.master_protocol == NDPI_PROTOCOL_UNKNOWN))
		return ret;
	ret.named = true;
	/* "TLS.Google" is TLS with Google inside; "NetBIOS.SMB" is SMB. */
	ret.protocol = protocol_of(p.master_protocol);
	ret.inside = protocol_of(p.app_protocol);
	if (ret.protocol == PROTO_NONE) {
		ret.protocol = ret.inside;
		ret.inside = PROTO_NONE;
	}
	return ret;
}

bool name_known(enum protocol p)
{
	return (unsigned)p < protocols_end() && id_of_protocol[p] != 0;
}

/*
 * Two matching bytes are enough for many detectors of this version, so their names prove nothing
 * against our own recognisers. These four look for text or magic that does not turn up by accident.
 */
bool name_contradicts(enum protocol named, enum protocol promised)
{
	return named != promised &&
	       (named == PROTO_TLS || named == PROTO_SSH || named == PROTO_HTTP || named == PROTO_SMB);
}
