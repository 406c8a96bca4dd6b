'use strict';

// Lets `instanceof` accept objects of Node's class for the class that replaces it.

const isInstance = (Class, value) => Function.prototype[Symbol.hasInstance].call(Class, value);

/**
 * Makes `value instanceof Class` true for instances of `NodeClass` too: Node's own modules
 * make those, and a program checks them against the class that it got instead. Classes
 * derived from `Class` do not change.
 */
function acceptInstancesOf(Class, NodeClass) {
  Object.defineProperty(Class, Symbol.hasInstance, {
    value(candidate) {
      return isInstance(this, candidate) || (this === Class && isInstance(NodeClass, candidate));
    },
    configurable: true,
    writable: true,
  });
}

module.exports = { acceptInstancesOf };
