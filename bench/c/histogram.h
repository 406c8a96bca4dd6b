// Latencies in buckets whose width is at most 1/32 of their value: percentiles without keeping
// samples.
#ifndef PIPEWRIGHT_BENCH_HISTOGRAM_H_
#define PIPEWRIGHT_BENCH_HISTOGRAM_H_

#include <stdint.h>

enum { kBucketBits = 5, kBucketCount = 64 << kBucketBits };

struct histogram {
  uint64_t counts[kBucketCount];
  uint64_t total;
};

void HistogramAdd(struct histogram* histogram, uint64_t value);

// The value below which `fraction` of all added values lie, up to the width of a bucket; 0 when
// empty.
uint64_t HistogramPercentile(const struct histogram* histogram, double fraction);

#endif  // PIPEWRIGHT_BENCH_HISTOGRAM_H_
