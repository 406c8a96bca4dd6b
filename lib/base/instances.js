'use strict';

// Whose instances a class takes for its own.

const isInstance = (Class, value) => Function.prototype[Symbol.hasInstance].call(Class, value);

/**
 * `value instanceof Class` is true for instances of `NodeClass` too: Node's own modules
 * make them, and programs ask for the class that they were given in its place. Classes
 * derived from `Class` are as ever.
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
