import type { ReactNode } from 'react';

function Icon({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      className={className}
      fill="none"
      height="1em"
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth="1.6"
      viewBox="0 0 20 20"
      width="1em"
    >
      {children}
    </svg>
  );
}

export const FilesIcon = () => (
  <Icon>
    <path d="M6 5.5V4a1.5 1.5 0 0 1 1.5-1.5H16A1.5 1.5 0 0 1 17.5 4v8a1.5 1.5 0 0 1-1.5 1.5h-1" />
    <rect height="12" rx="1.5" width="12.5" x="2.5" y="5.5" />
    <circle cx="6.3" cy="9.3" r="1" />
    <path d="m3 15.5 3.5-3 2.3 2 3-3.5 3 3" />
  </Icon>
);

export const EditsIcon = () => (
  <Icon>
    <rect height="14" rx="1.5" width="15" x="2.5" y="3" />
    <path d="M10 3v14M12.5 13l2.5-3 2.5 3M5 7h2.5M5 10h2.5M5 13h2.5" />
  </Icon>
);

export const BrushIcon = () => (
  <Icon>
    <path d="M16.8 3.2c-.8-.8-2-.5-3 .4L8 9.4 10.6 12l5.8-5.8c.9-1 1.2-2.2.4-3ZM7 10.5c-2.2 0-3 1.5-3 3.2 0 1.3-.7 2-1.5 2.3 1 .8 2.5 1.2 3.8 1 2-.3 3.2-1.7 3.2-3.5" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M10 4v12M4 10h12" />
  </Icon>
);

export const RemoveIcon = () => (
  <Icon>
    <path d="m5 5 10 10M15 5 5 15" />
  </Icon>
);

export const CurlIcon = () => (
  <Icon className="graphiql-toolbar-icon">
    <path d="M3 4.5h14v11H3zM6 8l2.5 2L6 12M10.5 12.5h3.5" />
  </Icon>
);

export const BackIcon = () => (
  <Icon>
    <path d="m12 4-6 6 6 6" />
  </Icon>
);
