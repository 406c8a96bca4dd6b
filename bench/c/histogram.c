#include "histogram.h"

// Values below 32 have a bucket each; above, the bucket is the exponent and the five bits after the
// leading one.
static int BucketOf(uint64_t value) {
  if (value < (1u << kBucketBits)) return (int)value;
  const int shift = 63 - __builtin_clzll(value) - kBucketBits;
  return ((shift + 1) << kBucketBits) + (int)((value >> shift) & ((1u << kBucketBits) - 1));
}

static uint64_t LowestOf(int bucket) {
  const int row = bucket >> kBucketBits;
  const uint64_t column = (uint64_t)bucket & ((1u << kBucketBits) - 1);
  if (row == 0) return column;
  return (column + (1u << kBucketBits)) << (row - 1);
}

void HistogramAdd(struct histogram* histogram, uint64_t value) {
  histogram->counts[BucketOf(value)]++;
  histogram->total++;
}

uint64_t HistogramPercentile(const struct histogram* histogram, double fraction) {
  const double wanted = (double)histogram->total * fraction;
  uint64_t below = 0;
  for (int bucket = 0; bucket < kBucketCount; bucket++) {
    below += histogram->counts[bucket];
    if (below > 0 && (double)below >= wanted) return LowestOf(bucket);
  }
  return 0;
}
